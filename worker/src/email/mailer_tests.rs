//! The mailer against a real socket and a scripted server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpListener;

use super::server::{Protection, Reply, Script, Server};
use super::*;
use crate::core::outcome::{ErrorClass, Exchange, Failure, FailureKind, Outcome};
use crate::net::Trust;

const MESSAGE: &[u8] = b"Subject: Hi\r\n\r\nHello\r\n.hidden dot\r\n";

pub(super) fn mail() -> PreparedMail<'static> {
    PreparedMail {
        message_id: "<1@mail.example>",
        envelope_from: "news@example.com",
        recipient: "reader@example.com",
        message: MESSAGE,
    }
}

pub(super) fn mailer_within(deadline: Duration, ca: Option<&str>) -> Mailer {
    let trust = Trust::new(ca.map(str::as_bytes)).unwrap();
    let mut config = MailerConfig::new(trust);
    config.deadline = deadline;
    config.hello = Some("beadle.test".to_owned());
    Mailer::new(config)
}

fn mailer() -> Mailer {
    mailer_within(Duration::from_secs(5), None)
}

fn target(address: SocketAddr, security: Security) -> SmtpTarget {
    SmtpTarget {
        host: address.ip().to_string(),
        port: address.port(),
        security,
        credentials: None,
        named_by: NamedBy::Operator,
    }
}

fn plain(server: &Server) -> MailTarget {
    MailTarget::Smtp(target(server.address, Security::None))
}

pub(super) async fn deliver(script: Script) -> Exchange {
    let server = Server::start(script).await;
    mailer().deliver(&plain(&server), mail()).await
}

#[track_caller]
pub(super) fn failure(exchange: &Exchange) -> &Failure {
    exchange.outcome.failure().expect("a failure")
}

#[tokio::test]
async fn a_mail_is_handed_over_with_the_servers_answer() {
    let server = Server::start(Vec::new()).await;
    let exchange = mailer().deliver(&plain(&server), mail()).await;
    assert_eq!(exchange.outcome, Outcome::Delivered);
    assert_eq!(exchange.status_code, Some(250));
    assert_eq!(exchange.excerpt.as_deref(), Some("250 2.0.0 queued as 42"));
    assert_eq!(
        server.commands(),
        [
            "EHLO beadle.test",
            "MAIL FROM:<news@example.com>",
            "RCPT TO:<reader@example.com>",
            "DATA",
        ]
    );
    let message = server.messages().remove(0);
    assert!(message.starts_with("Subject: Hi\r\n\r\nHello\r\n..hidden dot\r\n"));
}

#[tokio::test]
async fn a_transient_answer_is_retried() {
    for (word, step) in [
        ("MAIL", "MAIL FROM"),
        ("RCPT", "RCPT TO"),
        ("DATA", "DATA"),
        ("MESSAGE", "DATA"),
    ] {
        let script = vec![(word, Reply::Say("450 4.2.0 greylisted, come back"))];
        let exchange = deliver(script).await;
        let failure = failure(&exchange);
        assert_eq!(failure.class, ErrorClass::Smtp, "{word}");
        let recipients = word == "RCPT" && failure.kind == FailureKind::Deferred;
        assert!(recipients || failure.kind == FailureKind::Retry, "{word}");
        assert_eq!(failure.status_code, Some(450));
        assert!(
            failure.message.contains("greylisted"),
            "{}",
            failure.message
        );
        assert!(failure.message.contains(step), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_refused_recipient_fails_at_once() {
    for (reply, kind) in [
        ("550 5.1.1 no such user", FailureKind::BadRecipient),
        ("553 mailbox name not allowed", FailureKind::BadRecipient),
        ("552 5.2.2 mailbox full", FailureKind::Refused),
        ("554 5.7.1 your network is listed", FailureKind::Refused),
        (
            "530 5.7.0 authentication required",
            FailureKind::Credentials,
        ),
    ] {
        let exchange = deliver(vec![("RCPT", Reply::Say(reply))]).await;
        let failure = failure(&exchange);
        assert_eq!(failure.class, ErrorClass::Smtp);
        assert_eq!(failure.kind, kind, "{reply}");
    }
    for word in ["MAIL", "DATA", "MESSAGE"] {
        let exchange = deliver(vec![(word, Reply::Say("554 5.6.0 no"))]).await;
        assert_eq!(failure(&exchange).kind, FailureKind::Refused, "{word}");
    }
}

#[tokio::test]
async fn a_server_out_of_order_is_retried() {
    for word in ["GREETING", "EHLO"] {
        let exchange = deliver(vec![(word, Reply::Say("554 closed for repair"))]).await;
        assert_eq!(failure(&exchange).kind, FailureKind::Retry);
        assert_eq!(failure(&exchange).class, ErrorClass::Smtp);
    }
}

#[tokio::test]
async fn an_invalid_recipient_is_never_sent() {
    let server = Server::start(Vec::new()).await;
    let mut mail = mail();
    for recipient in ["nobody", "a@b\r\nRCPT TO:<c@d>", "a@b>\r\nDATA"] {
        mail.recipient = recipient;
        let exchange = mailer().deliver(&plain(&server), mail).await;
        assert_eq!(failure(&exchange).kind, FailureKind::BadRecipient);
    }
    mail.recipient = "reader@example.com";
    mail.envelope_from = "";
    let exchange = mailer().deliver(&plain(&server), mail).await;
    assert_eq!(failure(&exchange).kind, FailureKind::Refused);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_the_extension() {
    let server = Server::start(Vec::new()).await;
    let mut mail = mail();
    mail.recipient = "rené@example.com";
    let exchange = mailer().deliver(&plain(&server), mail).await;
    assert_eq!(failure(&exchange).kind, FailureKind::Refused);
    assert!(failure(&exchange).message.contains("SMTPUTF8"));

    // Another recipient's address is in the head of the message.
    let beside = PreparedMail {
        recipient: "reader@example.com",
        message: "Cc: rené@example.com\r\n\r\nHello\r\n".as_bytes(),
        ..mail
    };
    let exchange = mailer().deliver(&plain(&server), beside).await;
    assert!(failure(&exchange).message.contains("SMTPUTF8"));

    let offer = "250-mail.test\r\n250-8BITMIME\r\n250 SMTPUTF8";
    server.now(vec![("EHLO", Reply::Say(offer))]);
    for mail in [mail, beside] {
        let exchange = mailer().deliver(&plain(&server), mail).await;
        assert!(exchange.outcome.is_delivered(), "{exchange:?}");
    }
    let announced = server.commands();
    let announced = announced
        .iter()
        .filter(|command| command.contains(" SMTPUTF8"));
    assert_eq!(announced.count(), 2);
}

#[tokio::test]
async fn a_hanging_server_costs_no_more_than_the_deadline() {
    for word in ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"] {
        let server = Server::start(vec![(word, Reply::Hang)]).await;
        let mailer = mailer_within(Duration::from_millis(200), None);
        let exchange = mailer.deliver(&plain(&server), mail()).await;
        assert_eq!(failure(&exchange).class, ErrorClass::Timeout, "{word}");
        assert_eq!(failure(&exchange).kind, FailureKind::Retry);
        assert!(exchange.duration < Duration::from_millis(2_500));
    }
}

#[tokio::test]
async fn a_cut_off_conversation_is_not_continued_by_the_next_mail() {
    let server = Server::start(vec![("RCPT", Reply::Hang)]).await;
    let mailer = mailer_within(Duration::from_secs(1), None);
    let exchange = mailer.deliver(&plain(&server), mail()).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Timeout);
    server.now(Vec::new());
    let exchange = mailer.deliver(&plain(&server), mail()).await;
    assert!(exchange.outcome.is_delivered());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_closed_connection_is_a_connect_failure() {
    for word in ["GREETING", "EHLO", "RCPT", "MESSAGE"] {
        let exchange = deliver(vec![(word, Reply::Close)]).await;
        assert_eq!(failure(&exchange).class, ErrorClass::Connect, "{word}");
        assert_eq!(failure(&exchange).kind, FailureKind::Retry);
    }
}

#[tokio::test]
async fn answers_out_of_step_are_no_delivery() {
    for (word, reply) in [
        ("RCPT", "354 go ahead"),
        ("DATA", "250 ok"),
        ("MESSAGE", "354 go ahead"),
    ] {
        let exchange = deliver(vec![(word, Reply::Say(reply))]).await;
        assert_eq!(failure(&exchange).kind, FailureKind::Retry, "{word}");
        assert!(failure(&exchange).message.contains("out of step"));
    }
}

#[tokio::test]
async fn gibberish_is_told() {
    let exchange = deliver(vec![("GREETING", Reply::SayAndClose("HTTP/1.1 400 Bad"))]).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Smtp);
}

#[tokio::test]
async fn nobody_at_home_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let nobody = MailTarget::Smtp(target(address, Security::None));
    let exchange = mailer().deliver(&nobody, mail()).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Connect);

    let mut unknown = target(address, Security::None);
    unknown.host = "mail.invalid".to_owned();
    let exchange = mailer().deliver(&MailTarget::Smtp(unknown), mail()).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Dns);
}

#[tokio::test]
async fn a_session_is_used_again() {
    let server = Server::start(Vec::new()).await;
    let mailer = mailer();
    for _ in 0..3 {
        let exchange = mailer.deliver(&plain(&server), mail()).await;
        assert!(exchange.outcome.is_delivered());
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(server.messages().len(), 3);
}

#[tokio::test]
async fn a_session_survives_a_refused_recipient() {
    let server = Server::start(vec![("RCPT", Reply::Say("550 5.1.1 no"))]).await;
    let mailer = mailer();
    mailer.deliver(&plain(&server), mail()).await;
    server.now(Vec::new());
    let exchange = mailer.deliver(&plain(&server), mail()).await;
    assert!(exchange.outcome.is_delivered());
    assert_eq!(server.connections(), 1);
    assert!(server.commands().contains(&"RSET".to_owned()));
}

#[tokio::test]
async fn a_session_closed_while_idle_costs_no_attempt() {
    let server = Server::start(Vec::new()).await;
    let mailer = mailer();
    mailer.deliver(&plain(&server), mail()).await;
    server.now(vec![("MAIL", Reply::SayAndCloseOnce("421 idle too long"))]);
    let exchange = mailer.deliver(&plain(&server), mail()).await;
    assert!(exchange.outcome.is_delivered());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_fresh_session_that_is_closed_is_not_tried_for_ever() {
    let server = Server::start(vec![("MAIL", Reply::SayAndClose("421 not now"))]).await;
    let exchange = mailer().deliver(&plain(&server), mail()).await;
    assert_eq!(failure(&exchange).kind, FailureKind::Retry);
    assert_eq!(failure(&exchange).status_code, Some(421));
    assert_eq!(server.connections(), 1);
}

fn with_login(server: &Server) -> MailTarget {
    let mut target = target(server.address, Security::None);
    target.credentials = Some(("user".to_owned(), SecretString::from("sesame")));
    MailTarget::Smtp(target)
}

#[tokio::test]
async fn the_login_comes_first() {
    let server = Server::start(Vec::new()).await;
    let exchange = mailer().deliver(&with_login(&server), mail()).await;
    assert!(exchange.outcome.is_delivered());
    assert_eq!(server.commands()[1], "AUTH PLAIN AHVzZXIAc2VzYW1l");
}

#[tokio::test]
async fn refused_credentials_are_told_apart() {
    let server = Server::start(vec![("AUTH", Reply::Say("535 5.7.8 wrong"))]).await;
    let exchange = mailer().deliver(&with_login(&server), mail()).await;
    assert_eq!(failure(&exchange).kind, FailureKind::Credentials);
    assert_eq!(failure(&exchange).class, ErrorClass::Smtp);
    assert!(!failure(&exchange).message.contains("sesame"));

    server.now(vec![("EHLO", Reply::Say("250 no login here"))]);
    let exchange = mailer().deliver(&with_login(&server), mail()).await;
    assert_eq!(failure(&exchange).kind, FailureKind::Credentials);

    server.now(vec![("AUTH", Reply::Say("454 4.7.0 later"))]);
    let exchange = mailer().deliver(&with_login(&server), mail()).await;
    assert_eq!(failure(&exchange).kind, FailureKind::Retry);
}

pub(super) fn named(server: &Server, security: Security) -> MailTarget {
    let mut target = target(server.address, security);
    target.host = "localhost".to_owned();
    target.credentials = Some(("user".to_owned(), SecretString::from("sesame")));
    MailTarget::Smtp(target)
}

#[tokio::test]
async fn tls_protects_both_ways_and_checks_the_certificate() {
    for (protection, security) in [
        (Protection::Tls, Security::Ssl),
        (Protection::StartTls, Security::StartTls),
    ] {
        let server = Server::listen(Vec::new(), protection).await;
        let target = named(&server, security);
        let trusting = mailer_within(Duration::from_secs(5), Some(&server.pem));
        let exchange = trusting.deliver(&target, mail()).await;
        assert!(
            exchange.outcome.is_delivered(),
            "{security:?}: {exchange:?}"
        );
        assert_eq!(server.messages().len(), 1);

        let exchange = mailer().deliver(&target, mail()).await;
        assert_eq!(failure(&exchange).class, ErrorClass::Tls, "{exchange:?}");
        assert!(failure(&exchange).message.contains("certificate"));
        assert_eq!(server.messages().len(), 1);
    }
}

#[tokio::test]
async fn a_server_without_the_upgrade_gets_neither_password_nor_mail() {
    let server = Server::start(Vec::new()).await;
    let target = named(&server, Security::StartTls);
    let exchange = mailer().deliver(&target, mail()).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Tls);
    assert_eq!(failure(&exchange).kind, FailureKind::Retry);
    assert_eq!(server.commands(), ["EHLO beadle.test"]);
}

#[tokio::test]
async fn mail_goes_into_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let target = MailTarget::Dir(dir.path().to_owned());
    for _ in 0..2 {
        let exchange = mailer().deliver(&target, mail()).await;
        assert!(exchange.outcome.is_delivered());
    }
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(files.len(), 1);

    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let target = MailTarget::Dir(PathBuf::from(&file));
    let exchange = mailer().deliver(&target, mail()).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Unknown);
    assert!(failure(&exchange).message.contains("cannot write mail to"));
}

#[tokio::test]
async fn many_mails_at_once_share_a_mailer() {
    let server = Server::start(Vec::new()).await;
    let mailer = Arc::new(mailer());
    let target = plain(&server);
    let all = (0..40).map(|_| {
        let (mailer, target) = (Arc::clone(&mailer), target.clone());
        tokio::spawn(async move { mailer.deliver(&target, mail()).await })
    });
    for task in all.collect::<Vec<_>>() {
        assert!(task.await.unwrap().outcome.is_delivered());
    }
    assert_eq!(server.messages().len(), 40);
}
