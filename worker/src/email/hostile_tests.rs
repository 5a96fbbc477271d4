//! The mailer against servers that mean no good, or speak oddly.

use std::time::Duration;

use super::mailer_tests::{deliver, failure, mail, mailer_within, named};
use super::server::{Protection, Reply, Server};
use super::*;
use crate::core::outcome::{ErrorClass, FailureKind};

#[tokio::test]
async fn an_answer_in_another_encoding_is_an_answer() {
    let taken = Reply::Raw(b"250 2.0.0 f\xfcr sp\xe4ter");
    let exchange = deliver(vec![("MESSAGE", taken)]).await;
    assert!(exchange.outcome.is_delivered(), "{exchange:?}");

    let unknown = Reply::Raw(b"550 5.1.1 Empf\xe4nger unbekannt");
    let exchange = deliver(vec![("RCPT", unknown)]).await;
    assert_eq!(failure(&exchange).kind, FailureKind::BadRecipient);
    let told = &failure(&exchange).message;
    assert!(told.contains("Empf?nger unbekannt"), "{told}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_waited_for() {
    for (word, protection, security) in [
        ("GREETING", Protection::None, Security::None),
        ("RCPT", Protection::None, Security::None),
        ("GREETING", Protection::StartTls, Security::StartTls),
        ("RCPT", Protection::StartTls, Security::StartTls),
    ] {
        let server = Server::listen(vec![(word, Reply::Flood)], protection).await;
        let mailer = mailer_within(Duration::from_secs(60), Some(&server.pem));
        let exchange = mailer.deliver(&named(&server, security), mail()).await;
        // Not the deadline: it would be read until then.
        assert_ne!(failure(&exchange).class, ErrorClass::Timeout, "{word}");
        assert_eq!(failure(&exchange).kind, FailureKind::Retry, "{word}");
    }
}

#[tokio::test]
async fn what_is_said_before_tls_does_not_count_within() {
    for (word, reply, class) in [
        (
            "STARTTLS",
            "220 go ahead\r\n250-mail.test\r\n250 AUTH PLAIN",
            ErrorClass::Smtp,
        ),
        ("STARTTLS", "454 4.7.0 not now", ErrorClass::Tls),
        ("STARTTLS", "502 5.5.1 never heard of it", ErrorClass::Tls),
        ("EHLO", "250 nothing on offer", ErrorClass::Tls),
        ("GREETING", "554 closed", ErrorClass::Smtp),
        ("GREETING", "HTTP/1.1 400 Bad Request", ErrorClass::Smtp),
    ] {
        let server = Server::listen(vec![(word, Reply::Say(reply))], Protection::StartTls).await;
        let mailer = mailer_within(Duration::from_secs(5), Some(&server.pem));
        let target = named(&server, Security::StartTls);
        let exchange = mailer.deliver(&target, mail()).await;
        assert_eq!(failure(&exchange).class, class, "{reply}: {exchange:?}");
        assert_eq!(failure(&exchange).kind, FailureKind::Retry, "{reply}");
        let commands = server.commands();
        assert!(!commands.iter().any(|command| command.starts_with("AUTH")));
    }
}
