//! The mail of one tenant, while another does what it can to stop it.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use beadle_tests::{MailServer, TestApp, TestDatabase};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::{Tenant, World};
use crate::scene::{SOON, template};

beadle_tests::both_backends!(
    addresses_that_are_deferred_for_one_tenant_delay_no_other,
    servers_of_one_tenant_that_hang_delay_no_other,
    a_rate_limit_of_one_tenant_slows_no_other,
    the_server_of_a_tenant_is_not_inside_the_network,
);

/// Until then an innocent mail has come: a debug build takes its time.
const PROMPT: Duration = Duration::from_secs(8);

/// Where the mails of the innocent go.
const INNOCENT: &str = "@piedpiper.example";

async fn world(db: TestDatabase) -> (World, String) {
    let world = World::start(db).await;
    let letter = template(&world.app.client, "start").await;
    (world, format!("/api/email/send/{letter}"))
}

/// Mails so many addresses of one domain.
async fn send(tenant: &Tenant, path: &str, domain: &str, count: usize) {
    let address = |number| json!({"address": format!("reader{number}{domain}")});
    let addresses: Vec<Value> = (0..count).map(address).collect();
    let body = json!({"toAddresses": addresses});
    tenant.client.post(path, &body).await.must_be(202);
}

async fn configure(tenant: &Tenant, members: Value) {
    let body = json!({"tenant": {"emailConfiguration": members}});
    tenant.client.patch(&tenant.path(), &body).await.ok();
}

/// How many mails for the innocent a server has.
fn arrived(server: &MailServer) -> usize {
    let mails = server.mails();
    let is_theirs = |address: &String| address.ends_with(INNOCENT);
    let theirs = mails.iter().filter(|mail| mail.to.iter().any(is_theirs));
    theirs.count()
}

/// Mails the readers of the innocent tenant several times. All come at once.
async fn expect_prompt_mail(world: &World, path: &str, what: &str) {
    const ROUNDS: usize = 4;
    const EACH: usize = 3;
    for _ in 0..ROUNDS {
        let wanted = arrived(&world.app.mail) + EACH;
        send(&world.innocent, path, INNOCENT, EACH).await;
        let deadline = Instant::now() + PROMPT;
        while arrived(&world.app.mail) < wanted {
            assert!(
                Instant::now() < deadline,
                "mail of another tenant waits: {what}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits until a query counts so many.
async fn until(world: &World, sql: &str, count: i64) {
    let deadline = Instant::now() + SOON;
    while world.app.db.number(sql) < count {
        assert!(Instant::now() < deadline, "{sql} does not become {count}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn addresses_that_are_deferred_for_one_tenant_delay_no_other(db: TestDatabase) {
    let (mut world, path) = world(db).await;
    let deferred = "@deferred.example";
    world
        .app
        .mail
        .refuse_recipients(deferred, "450 4.2.1 try later");
    send(&world.hostile, &path, deferred, 40).await;
    // Enough to open whatever may open.
    until(&world, "SELECT count(*) FROM outbox WHERE attempt > 0", 12).await;
    expect_prompt_mail(&world, &path, "forty deferred addresses").await;
    world.check_alive();
}

/// A server that takes connections on every loopback address and never says a word.
async fn hanging() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held: Vec<TcpStream> = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    port
}

async fn servers_of_one_tenant_that_hang_delay_no_other(db: TestDatabase) {
    const HOSTS: u8 = 60;
    let (mut world, path) = world(db).await;
    let port = hanging().await;
    for host in 1..=HOSTS {
        let host = format!("127.0.0.{host}");
        configure(&world.hostile, json!({"host": host, "port": port})).await;
        send(&world.hostile, &path, "@hooli.example", 8).await;
    }
    expect_prompt_mail(&world, &path, "sixty servers that hang").await;
    world.check_alive();
}

async fn a_rate_limit_of_one_tenant_slows_no_other(db: TestDatabase) {
    let (mut world, path) = world(db).await;
    let own = json!({"host": "127.0.0.1", "port": world.app.mail.port()});
    let mut limited = own.clone();
    limited["rateLimit"] = 1.into();
    // By way of the common server, and of one that both name.
    for (hostile, innocent) in [(json!({"rateLimit": 1}), json!({})), (limited, own)] {
        configure(&world.hostile, hostile).await;
        configure(&world.innocent, innocent).await;
        send(&world.hostile, &path, "@hooli.example", 30).await;
        expect_prompt_mail(&world, &path, "a rate limit of one a second").await;
    }
    world.check_alive();
}

async fn the_server_of_a_tenant_is_not_inside_the_network(db: TestDatabase) {
    let mut world = World::of(TestApp::builder(db).unset("BEADLE_MAIL_ALLOW")).await;
    let letter = template(&world.app.client, "start").await;
    let path = format!("/api/email/send/{letter}");
    let inside = MailServer::start().await;
    for host in [
        "127.0.0.1",
        "localhost",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
        "0x7f000001",
        "0",
    ] {
        let body = json!({"tenant": {"emailConfiguration": {"host": host, "port": inside.port()}}});
        let tenant = &world.hostile;
        let reply = tenant.client.patch(&tenant.path(), &body).await;
        if reply.status == 400 {
            continue;
        }
        reply.ok();
        send(tenant, &path, "@hooli.example", 1).await;
    }
    let untried = "SELECT count(*) FROM outbox WHERE attempt = 0";
    let deadline = Instant::now() + SOON;
    while world.app.db.number(untried) > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(inside.sessions(), 0, "a tenant's mail goes inside");
    // The operator's own server is where the operator says.
    expect_prompt_mail(&world, &path, "nothing").await;
    world.check_alive();
}
