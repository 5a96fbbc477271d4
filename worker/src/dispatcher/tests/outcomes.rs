//! Every way in which receivers answer, or do not, through a dispatcher with the real sender and
//! real sockets: what is stored of it, and what follows.

use std::net::SocketAddr;

use beadle_common::id::{EventId, TenantId, WebhookId, WebhookSecretId};
use beadle_common::model::event::EventRow;
use beadle_common::model::webhook::{SecretKind, Webhook, WebhookSecretRow};
use beadle_common::outbox::{DestinationState, DisabledReason, destination_state};
use beadle_common::seal::Sealer;
use beadle_common::sign::WebhookSecret;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;

use super::*;
use crate::net::{Allowlist, BoxFuture, Resolve, Trust};
use crate::webhook::receiver::{Answer, Receiver};
use crate::webhook::{SenderConfig, WebhookSender, WebhookTransport};

const DAY: u64 = 24 * 60 * 60;

/// What becomes of a delivery whose first attempt went like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Delivered,
    /// It is tried again after so many seconds; its class.
    Retried(&'static str, u64),
    /// The same, and the whole webhook is left alone for so many seconds.
    Rests(&'static str, u64, u64),
    /// It waits until its webhook is enabled.
    ClaimedJob,
    /// It is given up at once; its class.
    Exhausted(&'static str),
}

/// One receiver's part of the table.
pub(super) struct Row {
    what: &'static str,
    url: String,
    /// How long it may take, in milliseconds.
    patience: i32,
    can_sign: bool,
    end: End,
}

/// A receiver that is there, and keeps its port.
pub(super) async fn row(what: &'static str, answer: Answer, end: End) -> Row {
    at(what, Receiver::start(answer).await.url(), end)
}

fn at(what: &'static str, url: String, end: End) -> Row {
    Row {
        what,
        url,
        patience: 10_000,
        can_sign: true,
        end,
    }
}

pub(super) fn status(line: &str, headers: &str) -> Answer {
    Answer::status(line, headers, "")
}

fn bytes(answer: &[u8]) -> Answer {
    Answer::WriteAndClose(answer.to_vec())
}

/// Those with a status.
async fn answering() -> Vec<Row> {
    use End::{ClaimedJob, Delivered, Rests, Retried};
    let after = |text: &str| format!("retry-after: {text}\r\n");
    let mut rows = Vec::new();
    for (what, line, wish, end) in [
        ("200", "200 OK", "", Delivered),
        ("204", "204 No Content", "", Delivered),
        ("299", "299 Odd", "", Delivered),
        ("301", "301 Moved", "", Retried("http", 5)),
        ("307", "307 Elsewhere", "", Retried("http", 5)),
        ("400", "400 Bad Request", "", Retried("http", 5)),
        ("404", "404 Not Found", "", Retried("http", 5)),
        ("410", "410 Gone", "", ClaimedJob),
        ("410 with a wish", "410 Gone", "60", ClaimedJob),
        ("429", "429 Slow down", "", Rests("http", 5, 1)),
        (
            "429 with a wish",
            "429 Slow down",
            "60",
            Rests("http", 60, 60),
        ),
        (
            "429 with a long wish",
            "429 Slow down",
            "1000000",
            Rests("http", DAY, DAY),
        ),
        (
            "429 with a date",
            "429 Slow down",
            "Sun, 15 Jun 2025 15:08:20 GMT",
            Rests("http", 100, 100),
        ),
        ("500", "500 Oops", "", Retried("http", 5)),
        ("500 with a wish", "500 Oops", "60", Retried("http", 60)),
        ("502", "502 Bad Gateway", "", Rests("http", 5, 1)),
        ("503", "503 Later", "", Retried("http", 5)),
        (
            "503 with a short wish",
            "503 Later",
            "1",
            Retried("http", 5),
        ),
        ("503 with a wish", "503 Later", "60", Retried("http", 60)),
        (
            "503 with a long wish",
            "503 Later",
            "172800",
            Retried("http", DAY),
        ),
        (
            "503 with a date",
            "503 Later",
            "Sun, 15 Jun 2025 15:08:20 GMT",
            Retried("http", 100),
        ),
        (
            "503 with a date long ahead",
            "503 Later",
            "Sun, 15 Jun 2036 15:08:20 GMT",
            Retried("http", DAY),
        ),
        (
            "503 with a date that has passed",
            "503 Later",
            "Sun, 15 Jun 2025 15:00:00 GMT",
            Retried("http", 5),
        ),
        (
            "503 with a wish that is none",
            "503 Later",
            "soon",
            Retried("http", 5),
        ),
        ("504", "504 Timeout", "", Rests("http", 5, 1)),
    ] {
        let headers = match wish {
            "" => String::new(),
            wish => after(wish),
        };
        rows.push(row(what, status(line, &headers), end).await);
    }
    rows
}

/// Those that do not keep to the protocol, or to their word.
async fn misbehaving() -> Vec<Row> {
    use End::{Delivered, Retried};
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort";
    let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n";
    let body = Retried("body", 5);
    vec![
        row("a body that ends early", bytes(short), body).await,
        row("a chunked body that ends early", bytes(chunk), body).await,
        Row {
            patience: 1500,
            ..row("a body that is late", Answer::Write(short.to_vec()), body).await
        },
        row("a body without an end", Answer::Endless, Delivered).await,
        row("no HTTP", bytes(b"220 smtp\r\n\r\n"), Retried("http", 5)).await,
        row("nothing", bytes(b""), Retried("connect", 5)).await,
        row("a reset", Answer::Reset, Retried("connect", 5)).await,
        Row {
            patience: 300,
            ..row("silence", Answer::Hang, Retried("timeout", 5)).await
        },
    ]
}

/// Those that are not reached.
async fn out_of_reach() -> Vec<Row> {
    use End::{Exhausted, Retried};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let (stranger, _) = Receiver::start_tls(status("200 OK", "")).await;
    let port = stranger.address.port();
    vec![
        at(
            "no listener",
            format!("http://{nobody}/"),
            Retried("connect", 5),
        ),
        at(
            "a certificate of nobody known",
            format!("https://localhost:{port}/"),
            Retried("tls", 5),
        ),
        at(
            "a name without an address",
            "http://nowhere.example/".to_owned(),
            Retried("dns", 5),
        ),
        at(
            "a private address",
            "http://10.0.0.1/".to_owned(),
            Retried("blocked", 5),
        ),
        Row {
            can_sign: false,
            ..row("no signature", status("200 OK", ""), Exhausted("unknown")).await
        },
    ]
}

/// A DNS of its own, so that no other is asked.
#[derive(Debug)]
struct Dns;

impl Resolve for Dns {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>> {
        let found = match host {
            "localhost" => vec![SocketAddr::from(([127, 0, 0, 1], port))],
            _ => Vec::new(),
        };
        Box::pin(async move { Ok(found) })
    }
}

pub(super) fn transport(world: &World) -> WebhookTransport {
    let sender = SenderConfig {
        allow: Allowlist::new(vec!["127.0.0.0/8".parse().unwrap()]),
        resolver: Arc::new(Dns),
        ..SenderConfig::new(Trust::new(None).unwrap())
    };
    WebhookTransport::new(
        WebhookSender::new(sender),
        Sealer::from_keys(&SecretString::from("0".repeat(64))).unwrap(),
        world.transport.schedule.clone(),
    )
}

/// A webhook for this row, and one event that it is owed.
pub(super) fn owe(world: &World, sealer: &Sealer, row: &Row) -> DeliveryId {
    let id = WebhookId::random();
    let headers = sealer.seal_text(Webhook::headers_place(id), "{}").unwrap();
    let webhook = Webhook {
        url: row.url.clone(),
        connect_timeout: row.patience,
        read_timeout: row.patience,
        ..test_support::webhook(id, headers)
    };
    let secret_id = WebhookSecretId::random();
    let text = WebhookSecret::from_bytes(&[7; 32]).unwrap().to_text();
    let sealed = sealer.seal_text(WebhookSecretRow::place(secret_id), text.expose_secret());
    let secret = row.can_sign.then(|| WebhookSecretRow {
        id: secret_id,
        webhook_id: id,
        kind: SecretKind::V1,
        secret: sealed.unwrap(),
        insert_instant: NOW,
        expiration_instant: None,
        public_key: None,
    });
    let event = EventRow {
        id: EventId::sequential(),
        event_type: "user.action".to_owned(),
        tenant_id: TenantId::random(),
        action_log_id: None,
        linked_object_id: None,
        body: r#"{"event":{}}"#.to_owned(),
        insert_instant: NOW,
    };
    let delivery = NewDelivery {
        id: DeliveryId::sequential(),
        destination: id.into(),
        payload: Payload::Webhook(event.id),
        due_at: NOW,
        insert_instant: NOW,
    };
    let owed = delivery.id;
    world.write(move |c| {
        webhook.insert(c)?;
        if let Some(secret) = &secret {
            secret.insert(c)?;
        }
        event.insert(c)?;
        insert(c, &delivery)
    });
    owed
}

/// What is stored of a delivery after its first attempt, its destination's state included.
#[derive(Debug, PartialEq, Eq)]
struct Stored {
    /// Where it is; none: in the outbox, due so many seconds from now.
    state: Result<DeliveryState, u64>,
    class: Option<String>,
    failures: i32,
    /// How long its webhook is left alone, in seconds.
    rests: Option<u64>,
    disabled: Option<DisabledReason>,
}

impl Stored {
    fn of(end: End) -> Self {
        let stored = |state, class: Option<&str>, failures| Self {
            state,
            class: class.map(str::to_owned),
            failures,
            rests: None,
            disabled: None,
        };
        match end {
            End::Delivered => stored(Ok(DeliveryState::Delivered), None, 0),
            End::Retried(class, after) => stored(Err(after), Some(class), 1),
            End::Rests(class, after, rests) => Self {
                rests: Some(rests),
                ..stored(Err(after), Some(class), 1)
            },
            End::ClaimedJob => Self {
                disabled: Some(DisabledReason::Gone),
                ..stored(Err(0), Some("http"), 1)
            },
            // A fault of our own says nothing about the webhook.
            End::Exhausted(class) => stored(Ok(DeliveryState::Exhausted), Some(class), 0),
        }
    }

    fn read(world: &World, id: DeliveryId) -> Self {
        let seconds = |at: UnixMillis| at.since(NOW).as_secs();
        let settled: Option<(DestinationId, DeliveryState, Option<String>)> = world.read(|c| {
            deliveries::table
                .find(id)
                .select((
                    deliveries::destination,
                    deliveries::state,
                    deliveries::class,
                ))
                .first(c)
                .optional()
        });
        let (destination, state, class) = match settled {
            Some((destination, state, class)) => (destination, Ok(state), class),
            None => {
                let (destination, due): (DestinationId, UnixMillis) = world.read(|c| {
                    let owed = outbox::table.find(id);
                    owed.select((outbox::destination, outbox::due_at)).first(c)
                });
                let class: Option<String> = world.read(|c| {
                    let made = attempts::table.filter(attempts::delivery_id.eq(id));
                    made.select(attempts::class).first(c)
                });
                (destination, Err(seconds(due)), class)
            }
        };
        let destination: DestinationState = world.read(|c| destination_state(c, destination));
        Self {
            state,
            class,
            failures: destination.failures,
            rests: destination.throttled_until.map(seconds),
            disabled: destination.disabled_reason,
        }
    }
}

async fn every_outcome_of_a_receiver_ends_as_its_row_says(world: World) {
    let transport = transport(&world);
    let mut rows = answering().await;
    rows.extend(misbehaving().await);
    rows.extend(out_of_reach().await);
    let owed: Vec<DeliveryId> = rows
        .iter()
        .map(|row| owe(&world, &transport.sealer, row))
        .collect();
    let dispatcher = Dispatcher::new(Arc::new(transport), world.surroundings(), world.limits);
    let dispatcher = tokio::spawn(dispatcher.run(world.stop.clone()));
    for (row, id) in rows.iter().zip(owed) {
        until(row.what, || {
            let tried = |(made, _, leased): (i32, UnixMillis, bool)| made == 1 && !leased;
            world.owed(id).is_none_or(tried)
        })
        .await;
        assert_eq!(
            Stored::read(&world, id),
            Stored::of(row.end),
            "{}",
            row.what
        );
    }
    world.stop(dispatcher).await;
}

both_databases!(every_outcome_of_a_receiver_ends_as_its_row_says);
