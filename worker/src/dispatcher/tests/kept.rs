//! What is kept of webhooks from one claim to the next is theirs as they are.

use beadle_common::db::DatabaseUrl;
use beadle_common::id::{TenantId, WebhookSecretId};
use beadle_common::model::event::EventRow;
use beadle_common::model::webhook::{SecretKind, Webhook, WebhookSecretRow};
use beadle_common::outbox::claim;
use beadle_common::schema::{webhook_secrets, webhooks};
use beadle_common::seal::Sealer;
use beadle_common::sign::WebhookSecret;
use beadle_common::test_support::claim_request;
use secrecy::{ExposeSecret as _, SecretString};

use super::outcomes::{End, owe, row, status, transport};
use super::*;
use crate::webhook::WebhookTransport;

/// A webhook, and a transport that has sent to it.
struct Kept {
    world: World,
    transport: WebhookTransport,
    sealer: Sealer,
    webhook: WebhookId,
    inline_payload: bool,
}

impl Kept {
    async fn new(world: World) -> Self {
        let sealer = Sealer::from_keys(&SecretString::from("0".repeat(64))).unwrap();
        let row = row("a receiver", status("200 OK", ""), End::Delivered).await;
        owe(&world, &sealer, &row);
        let kept = Self {
            transport: transport(&world),
            webhook: world.read(|c| webhooks::table.select(webhooks::id).first(c)),
            inline_payload: matches!(world.db.url(), DatabaseUrl::Postgres(_)),
            sealer,
            world,
        };
        assert!(!kept.is_at_hand());
        kept
    }

    /// Takes what is due and has it made ready, from memory if that is possible; says whether
    /// it was.
    fn is_at_hand(&self) -> bool {
        let now = self.world.now();
        let request = claim_request(Kind::Webhook, now, 100);
        let claimed = self.world.write(move |c| claim(c, &request));
        assert!(!claimed.is_empty());
        let (at_hand, loaded) = match self.transport.at_hand(claimed, now) {
            Ok(loaded) => (true, loaded),
            Err(claimed) => (
                false,
                self.world.read(|c| self.transport.load(c, claimed, now)),
            ),
        };
        assert!(loaded.iter().all(|(_, job)| job.is_ok()));
        at_hand
    }

    /// So many more are due, and made ready.
    fn are_at_hand(&self, count: usize) -> bool {
        let destination = self.webhook.into();
        for _ in 0..count {
            let event = EventRow {
                id: EventId::sequential(),
                event_type: "user.action".to_owned(),
                tenant_id: TenantId::random(),
                action_log_id: None,
                linked_object_id: None,
                body: r#"{"event":{}}"#.to_owned(),
                insert_instant: self.world.now(),
            };
            let payload = Payload::Webhook(event.id);
            let delivery = NewDelivery::at_once(destination, payload, event.insert_instant);
            self.world.write(move |c| {
                event.insert(c)?;
                insert(c, &delivery)
            });
        }
        self.is_at_hand()
    }

    fn change(&self, change: impl FnOnce(&mut Webhook)) {
        let id = self.webhook;
        let mut webhook = self.world.read(|c| Webhook::find(c, id)).unwrap();
        change(&mut webhook);
        self.world.write(move |c| webhook.update(c));
    }

    fn add_secret(&self, expiration_instant: Option<UnixMillis>) -> WebhookSecretId {
        let id = WebhookSecretId::random();
        let text = WebhookSecret::from_bytes(&[9; 32]).unwrap().to_text();
        let place = WebhookSecretRow::place(id);
        let row = WebhookSecretRow {
            id,
            webhook_id: self.webhook,
            kind: SecretKind::V1,
            secret: self.sealer.seal_text(place, text.expose_secret()).unwrap(),
            insert_instant: self.world.now(),
            expiration_instant,
            public_key: None,
        };
        self.world.write(move |c| row.insert(c));
        id
    }
}

both_databases!(
    a_webhook_that_changes_is_read_again,
    a_secret_that_comes_goes_or_ends_is_noticed,
    many_deliveries_are_read_in_one_go,
);

async fn a_webhook_that_changes_is_read_again(world: World) {
    let kept = Kept::new(world).await;
    assert_eq!(kept.are_at_hand(1), kept.inline_payload);
    assert_eq!(kept.are_at_hand(4), kept.inline_payload);
    kept.change(|webhook| webhook.url.push_str("/elsewhere"));
    assert!(!kept.are_at_hand(1));
    assert_eq!(kept.are_at_hand(1), kept.inline_payload);
    kept.change(|webhook| webhook.rate_limit = Some(100_000));
    assert!(!kept.are_at_hand(1));
}

async fn a_secret_that_comes_goes_or_ends_is_noticed(world: World) {
    let kept = Kept::new(world).await;
    let end = kept.world.now().plus(60 * SECOND);
    let secret = kept.add_secret(Some(end));
    assert!(!kept.are_at_hand(1));
    assert_eq!(kept.are_at_hand(1), kept.inline_payload);
    kept.world.advance(60 * SECOND);
    assert!(!kept.are_at_hand(1));
    assert_eq!(kept.are_at_hand(1), kept.inline_payload);
    kept.world
        .write(move |c| diesel::delete(webhook_secrets::table.find(secret)).execute(c));
    assert!(!kept.are_at_hand(1));
}

async fn many_deliveries_are_read_in_one_go(world: World) {
    let kept = Kept::new(world).await;
    assert!(!kept.are_at_hand(5));
    assert_eq!(kept.are_at_hand(1), kept.inline_payload);
}
