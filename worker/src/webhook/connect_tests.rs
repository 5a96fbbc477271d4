//! Names, addresses and certificates: whom the sender reaches, and whom not.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::receiver::{Answer, Receiver};
use super::request::tests::request;
use super::send_tests::{config, failure, sender};
use super::*;
use crate::core::outcome::ErrorClass;
use crate::net::{Allowlist, BoxFuture, Resolve, Trust};

/// DNS that answers every name with the same addresses.
#[derive(Debug)]
struct Dns(Vec<SocketAddr>);

impl Resolve for Dns {
    fn resolve<'a>(
        &'a self,
        _host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let mut addresses = self.0.clone();
        for address in &mut addresses {
            address.set_port(port);
        }
        Box::pin(async move { Ok(addresses) })
    }
}

/// DNS that never answers.
#[derive(Debug)]
struct SilentDns;

impl Resolve for SilentDns {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn silent_dns_counts_against_the_connect_timeout() {
    let mut config = config();
    config.resolver = Arc::new(SilentDns);
    let mut request = request("http://silent.example/");
    request.connect_timeout = Duration::from_millis(100);
    let exchange = WebhookSender::new(config).send(request).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Timeout);
    assert!(exchange.duration < Duration::from_millis(2_500));
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_a_timeout() {
    let receiver = Receiver::start(Answer::Hang).await;
    let mut request = request(&format!("https://{}/", receiver.address));
    request.connect_timeout = Duration::from_millis(500);
    let exchange = sender().send(request).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Timeout);
    assert!(failure(&exchange).message.contains("TLS handshake"));
}

#[tokio::test]
async fn a_trusted_certificate_is_accepted() {
    let (receiver, pem) = Receiver::start_tls(Answer::status("200 OK", "", "")).await;
    let mut config = config();
    config.trust = Trust::new(Some(pem.as_bytes())).unwrap();
    config.resolver = Arc::new(Dns(vec![receiver.address]));
    let url = format!("https://localhost:{}/", receiver.address.port());
    let exchange = WebhookSender::new(config).send(request(&url)).await;
    assert!(exchange.outcome.is_delivered(), "{exchange:?}");
}

#[tokio::test]
async fn an_untrusted_or_misnamed_certificate_is_refused() {
    let (receiver, pem) = Receiver::start_tls(Answer::status("200 OK", "", "")).await;
    let port = receiver.address.port();
    for (host, ca) in [("localhost", None), ("other.example", Some(pem.as_bytes()))] {
        let mut config = config();
        config.trust = Trust::new(ca).unwrap();
        config.resolver = Arc::new(Dns(vec![receiver.address]));
        let url = format!("https://{host}:{port}/");
        let exchange = WebhookSender::new(config).send(request(&url)).await;
        let failure = failure(&exchange);
        assert_eq!(failure.class, ErrorClass::Tls);
        assert!(failure.message.contains(host), "{}", failure.message);
        assert!(
            failure.message.contains("certificate"),
            "{}",
            failure.message
        );
    }
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn plain_http_on_a_tls_url_is_a_tls_failure() {
    let bytes = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await;
        std::future::pending::<()>().await;
    });
    let exchange = sender().send(request(&format!("https://{address}/"))).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Tls);
}

#[tokio::test]
async fn a_private_address_is_blocked_without_a_connection() {
    let receiver = Receiver::start(Answer::status("200 OK", "", "")).await;
    let mut config = config();
    config.allow = Allowlist::default();
    let sender = WebhookSender::new(config);
    let port = receiver.address.port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "localhost",
    ] {
        let exchange = sender
            .send(request(&format!("http://{host}:{port}/")))
            .await;
        let failure = failure(&exchange);
        assert_eq!(failure.class, ErrorClass::Blocked, "{host}");
        assert!(
            failure.message.contains("is not public"),
            "{}",
            failure.message
        );
    }
    assert_eq!(receiver.accepted(), 0);
}

#[tokio::test]
async fn a_name_with_one_private_address_is_blocked() {
    let receiver = Receiver::start(Answer::status("200 OK", "", "")).await;
    let public = "192.88.0.1:0".parse().unwrap();
    let mut config = config();
    config.allow = Allowlist::default();
    config.resolver = Arc::new(Dns(vec![public, receiver.address]));
    let url = format!("http://mixed.example:{}/", receiver.address.port());
    let exchange = WebhookSender::new(config).send(request(&url)).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Blocked);
    assert_eq!(receiver.accepted(), 0);
}

#[tokio::test]
async fn a_name_without_address_is_a_dns_failure() {
    let mut config = config();
    config.resolver = Arc::new(Dns(Vec::new()));
    let exchange = WebhookSender::new(config)
        .send(request("http://gone.example/"))
        .await;
    let failure = failure(&exchange);
    assert_eq!(failure.class, ErrorClass::Dns);
    assert_eq!(
        failure.message,
        "cannot resolve `gone.example`: the name has no address"
    );
}
