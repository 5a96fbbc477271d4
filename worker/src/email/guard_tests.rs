//! What tenants reach by naming a mail server, and what they learn of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::mailer_tests::{failure, mail};
use super::server::{Protection, Reply, Server};
use super::*;
use crate::core::outcome::{ErrorClass, FailureKind};
use crate::net::{Allowlist, BoxFuture, Resolve, Trust};

fn config(allow: &[&str]) -> MailerConfig {
    let networks = allow.iter().map(|network| network.parse().unwrap());
    MailerConfig {
        allow: Allowlist::new(networks.collect()),
        deadline: Duration::from_secs(5),
        ..MailerConfig::new(Trust::new(None).unwrap())
    }
}

fn target(server: &Server, host: &str, named_by: NamedBy) -> MailTarget {
    MailTarget::Smtp(SmtpTarget {
        host: host.to_owned(),
        port: server.address.port(),
        security: Security::None,
        credentials: None,
        named_by,
    })
}

/// DNS that answers every name with the same addresses.
#[derive(Debug)]
struct Dns {
    addresses: Vec<SocketAddr>,
    asked: AtomicUsize,
}

impl Dns {
    fn of(addresses: Vec<SocketAddr>) -> Arc<Self> {
        let asked = AtomicUsize::new(0);
        Arc::new(Self { addresses, asked })
    }
}

impl Resolve for Dns {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(self.addresses.clone()) })
    }
}

#[tokio::test]
async fn a_tenants_server_at_a_private_address_is_blocked_without_a_connection() {
    let server = Server::start(Vec::new()).await;
    let mailer = Mailer::new(config(&["10.0.0.0/8"]));
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost"] {
        let target = target(&server, host, NamedBy::Tenant);
        let exchange = mailer.deliver(&target, mail()).await;
        let failure = failure(&exchange);
        assert_eq!(failure.class, ErrorClass::Blocked, "{host}");
        assert_eq!(failure.kind, FailureKind::Retry);
        assert_eq!(
            failure.message,
            format!(
                "refused to connect to mail server `{host}`: its address is not public, and its network is not in `BEADLE_MAIL_ALLOW`"
            )
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_tenants_server_in_an_allowed_network_gets_its_mail() {
    let server = Server::start(Vec::new()).await;
    let mailer = Mailer::new(config(&["127.0.0.0/8"]));
    let target = target(&server, "127.0.0.1", NamedBy::Tenant);
    assert!(mailer.deliver(&target, mail()).await.outcome.is_delivered());
}

#[tokio::test]
async fn no_tenant_gets_past_the_guard_on_a_connection_of_the_operators() {
    let server = Server::start(Vec::new()).await;
    let mailer = Mailer::new(config(&[]));
    let operators = target(&server, "127.0.0.1", NamedBy::Operator);
    let exchange = mailer.deliver(&operators, mail()).await;
    assert!(exchange.outcome.is_delivered());
    let tenants = target(&server, "127.0.0.1", NamedBy::Tenant);
    let exchange = mailer.deliver(&tenants, mail()).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Blocked);
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn only_the_address_that_was_vetted_is_dialed() {
    let server = Server::start(Vec::new()).await;
    let dns = Dns::of(vec![server.address]);
    let mut config = config(&["127.0.0.0/8"]);
    config.resolver = dns.clone();
    let mailer = Mailer::new(config);
    let target = target(&server, "mail.example", NamedBy::Tenant);
    assert!(mailer.deliver(&target, mail()).await.outcome.is_delivered());
    assert_eq!(dns.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_with_one_private_address_is_blocked() {
    let server = Server::start(Vec::new()).await;
    let mut config = config(&[]);
    config.resolver = Dns::of(vec!["192.88.0.1:25".parse().unwrap(), server.address]);
    let target = target(&server, "mixed.example", NamedBy::Tenant);
    let exchange = Mailer::new(config).deliver(&target, mail()).await;
    assert_eq!(failure(&exchange).class, ErrorClass::Blocked);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_other_services_say_is_not_repeated() {
    for security in [Security::None, Security::StartTls] {
        for word in ["GREETING", "EHLO"] {
            let banner = Reply::SayAndClose("SSH-2.0-OpenSSH_9.9 inner");
            let server = Server::listen(vec![(word, banner)], Protection::None).await;
            let MailTarget::Smtp(mut target) = target(&server, "127.0.0.1", NamedBy::Operator)
            else {
                panic!("it is a server");
            };
            target.security = security;
            let target = MailTarget::Smtp(target);
            let exchange = Mailer::new(config(&[])).deliver(&target, mail()).await;
            let told = &failure(&exchange).message;
            assert!(told.contains("no answer of a mail server"), "{told}");
            assert!(!told.contains("SSH") && !told.contains("inner"), "{told}");
        }
    }
}

#[tokio::test]
async fn what_is_said_about_one_recipient_says_nothing_about_the_server() {
    for (reply, kind) in [
        ("450 4.2.0 greylisted", FailureKind::Deferred),
        ("451 come back later", FailureKind::Deferred),
        ("452 4.2.2 mailbox full", FailureKind::Deferred),
        ("450 4.7.1 your network is listed", FailureKind::Retry),
        ("451 4.3.0 cannot write the queue", FailureKind::Retry),
        ("454 4.7.0 TLS not available", FailureKind::Retry),
        ("421 4.2.0 closing", FailureKind::Retry),
    ] {
        let server = Server::start(vec![("RCPT", Reply::Say(reply))]).await;
        let target = target(&server, "127.0.0.1", NamedBy::Operator);
        let exchange = Mailer::new(config(&[])).deliver(&target, mail()).await;
        assert_eq!(failure(&exchange).kind, kind, "{reply}");
    }
}

#[tokio::test]
async fn a_session_that_was_often_refused_is_left_before_the_server_cuts_it_off() {
    let server = Server::start(vec![("RCPT", Reply::Say("450 4.2.0 greylisted"))]).await;
    let target = target(&server, "127.0.0.1", NamedBy::Operator);
    let mailer = Mailer::new(config(&[]));
    for refused in 1..=11usize {
        mailer.deliver(&target, mail()).await;
        assert_eq!(server.connections(), refused.div_ceil(5), "{refused}");
    }
}
