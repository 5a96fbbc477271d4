//! The sender against real sockets.

use std::time::Duration;

use tokio::net::TcpListener;

use super::receiver::{Answer, Receiver};
use super::request::tests::request;
use super::*;
use crate::core::outcome::{ErrorClass, Exchange, Failure, FailureKind};
use crate::net::{Allowlist, Trust};

pub fn config() -> SenderConfig {
    let mut config = SenderConfig::new(Trust::new(None).unwrap());
    config.allow = Allowlist::new(vec!["127.0.0.0/8".parse().unwrap()]);
    config
}

pub fn sender() -> WebhookSender {
    WebhookSender::new(config())
}

async fn send_to(answer: Answer) -> Exchange {
    let receiver = Receiver::start(answer).await;
    sender().send(request(&receiver.url())).await
}

#[track_caller]
pub fn failure(exchange: &Exchange) -> &Failure {
    exchange.outcome.failure().expect("a failure")
}

#[tokio::test]
async fn a_2xx_is_delivered() {
    for line in ["200 OK", "201 Created", "299 Odd"] {
        let exchange = send_to(Answer::status(line, "", "thanks")).await;
        assert!(exchange.outcome.is_delivered(), "{line}");
        assert_eq!(exchange.excerpt.as_deref(), Some("thanks"));
    }
    let empty = Answer::Write(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let exchange = send_to(empty).await;
    assert!(exchange.outcome.is_delivered());
    assert_eq!(exchange.status_code, Some(204));
    assert_eq!(exchange.excerpt, None);
}

#[tokio::test]
async fn the_request_is_what_the_contract_says() {
    let receiver = Receiver::start(Answer::status("200 OK", "", "")).await;
    sender().send(request(&receiver.url())).await;
    let requests = receiver.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /hook HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: {}", receiver.address);
    let agent = concat!("user-agent: Beadle/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines,
        [
            "content-length: 12",
            "content-type: application/json",
            host.as_str(),
            agent,
            "webhook-id: 5dba9944-ce71-4ce0-b18f-c44723e7394b",
            "webhook-signature: v1,AAAA v1a,BBBB",
            "webhook-timestamp: 1750000000",
        ]
    );
    assert_eq!(body, "{\"event\":{}}");
}

#[tokio::test]
async fn other_statuses_fail_and_say_what_to_do() {
    for (line, kind) in [
        ("400 Bad Request", FailureKind::Retry),
        ("410 Gone", FailureKind::Gone),
        ("429 Too Many Requests", FailureKind::Throttle),
        ("500 Internal Server Error", FailureKind::Retry),
        ("502 Bad Gateway", FailureKind::Throttle),
    ] {
        let exchange = send_to(Answer::status(line, "", "why")).await;
        let failure = failure(&exchange);
        assert_eq!(failure.class, ErrorClass::Http);
        assert_eq!(failure.kind, kind, "{line}");
        assert_eq!(failure.status_code, exchange.status_code);
        assert!(failure.message.contains(line), "{}", failure.message);
        assert_eq!(exchange.excerpt.as_deref(), Some("why"));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start(Answer::status("200 OK", "", "")).await;
    let location = format!("location: {}\r\n", elsewhere.url());
    for line in ["301 Moved Permanently", "307 Temporary Redirect"] {
        let exchange = send_to(Answer::status(line, &location, "")).await;
        let failure = failure(&exchange);
        assert_eq!(failure.class, ErrorClass::Http);
        assert!(failure.message.contains("change the webhook's url"));
    }
    assert_eq!(elsewhere.accepted(), 0);
}

#[tokio::test]
async fn retry_after_is_handed_on() {
    let extra = "retry-after: 120\r\n";
    let exchange = send_to(Answer::status("503 Service Unavailable", extra, "")).await;
    let wish = failure(&exchange).retry_after;
    assert_eq!(wish, Some(Duration::from_secs(120)));

    let extra = "retry-after: Sun, 15 Jun 2025 15:08:20 GMT\r\n";
    let exchange = send_to(Answer::status("503 Service Unavailable", extra, "")).await;
    let wish = failure(&exchange).retry_after;
    assert_eq!(wish, Some(Duration::from_secs(100)));
}

#[tokio::test]
async fn a_refused_connection_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let exchange = sender().send(request(&format!("http://{address}/"))).await;
    let failure = failure(&exchange);
    assert_eq!(failure.class, ErrorClass::Connect);
    assert!(failure.message.starts_with("cannot connect to 127.0.0.1:"));
    assert!(failure.message.contains("refused"), "{}", failure.message);
    assert_eq!(exchange.status_code, None);
}

#[tokio::test]
async fn a_reset_before_the_answer_is_a_connect_failure() {
    let exchange = send_to(Answer::Reset).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Connect);
    let exchange = send_to(Answer::WriteAndClose(Vec::new())).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Connect);
    let half = Answer::WriteAndClose(b"HTTP/1.1 200 OK\r\ncontent-".to_vec());
    assert_eq!(failure(&send_to(half).await).class, ErrorClass::Connect);
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_told() {
    let exchange = send_to(Answer::WriteAndClose(
        b"220 smtp.example ESMTP\r\n".to_vec(),
    ))
    .await;
    assert_eq!(failure(&exchange).class, ErrorClass::Http);
}

#[tokio::test]
async fn a_hanging_receiver_costs_no_more_than_the_timeouts() {
    let receiver = Receiver::start(Answer::Hang).await;
    let mut request = request(&receiver.url());
    request.connect_timeout = Duration::from_millis(100);
    request.read_timeout = Duration::from_millis(150);
    let exchange = sender().send(request).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Timeout);
    assert!(failure(&exchange).message.contains("250ms"));
    assert!(exchange.duration >= Duration::from_millis(250));
    assert!(exchange.duration < Duration::from_millis(1_500));
}

#[tokio::test]
async fn the_configured_deadline_caps_the_webhooks_own() {
    let receiver = Receiver::start(Answer::Hang).await;
    let mut config = config();
    config.deadline = Duration::from_millis(200);
    let exchange = WebhookSender::new(config)
        .send(request(&receiver.url()))
        .await;
    assert_eq!(failure(&exchange).class, ErrorClass::Timeout);
    assert!(exchange.duration < Duration::from_millis(2_500));
}

#[tokio::test]
async fn a_2xx_whose_body_ends_early_is_a_failure() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"[..],
        &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n"[..],
    ] {
        let exchange = send_to(Answer::WriteAndClose(bytes.to_vec())).await;
        let failure = failure(&exchange);
        assert_eq!(failure.class, ErrorClass::Body);
        assert_eq!(failure.status_code, Some(200));
        assert_eq!(exchange.excerpt.as_deref(), Some("short"));
    }
}

#[tokio::test]
async fn a_2xx_whose_body_is_late_is_a_failure() {
    let stalled = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort".to_vec();
    let receiver = Receiver::start(Answer::Write(stalled)).await;
    let mut request = request(&receiver.url());
    request.connect_timeout = Duration::from_millis(100);
    request.read_timeout = Duration::from_millis(700);
    let exchange = sender().send(request).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Body);
    assert!(failure(&exchange).message.contains("in time"));
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_cap_and_delivered() {
    let receiver = Receiver::start(Answer::Endless).await;
    let sender = sender();
    let exchange = sender.send(request(&receiver.url())).await;
    assert!(exchange.outcome.is_delivered());
    assert_eq!(exchange.excerpt.unwrap().len(), 1024);
    sender.send(request(&receiver.url())).await;
    assert_eq!(receiver.accepted(), 2, "a cut connection is not used again");
}

#[tokio::test]
async fn ten_megabytes_are_not_swallowed() {
    let body = "x".repeat(10 * 1024 * 1024);
    let exchange = send_to(Answer::status("200 OK", "", &body)).await;
    assert!(exchange.outcome.is_delivered());
    let exchange = send_to(Answer::status("500 Oops", "", &body)).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Http);
}

#[tokio::test]
async fn a_huge_head_is_refused() {
    let wide = format!("x-wide: {}\r\n", "y".repeat(200 * 1024));
    let exchange = send_to(Answer::status("200 OK", &wide, "")).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Http);
    let many = "x-many: y\r\n".repeat(500);
    let exchange = send_to(Answer::status("200 OK", &many, "")).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Http);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let receiver = Receiver::start(Answer::status("200 OK", "", "ok")).await;
    let sender = sender();
    for _ in 0..3 {
        let exchange = sender.send(request(&receiver.url())).await;
        assert!(exchange.outcome.is_delivered());
    }
    assert_eq!(receiver.accepted(), 1);
    assert_eq!(receiver.requests().len(), 3);
}

#[tokio::test]
async fn a_connection_closed_while_idle_costs_no_attempt() {
    let close = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec();
    let receiver = Receiver::start(Answer::WriteAndClose(close)).await;
    let sender = sender();
    for _ in 0..3 {
        let exchange = sender.send(request(&receiver.url())).await;
        assert!(exchange.outcome.is_delivered(), "{exchange:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn pools_of_different_timeouts_are_bounded() {
    let receiver = Receiver::start(Answer::status("200 OK", "", "ok")).await;
    let sender = sender();
    for millis in 0..100 {
        let mut request = request(&receiver.url());
        request.connect_timeout = Duration::from_millis(1_000 + millis);
        assert!(sender.send(request).await.outcome.is_delivered());
    }
}
