//! Promises of loading: what stands in the database is what is sent.

use std::collections::BTreeMap;

use beadle_common::db::{ConfigEpoch, Db};
use beadle_common::id::{
    DeliveryId, DestinationId, LeaseToken, SigningKeyId, TenantId, WebhookSecretId,
};
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::model::webhook::SecretKind;
use beadle_common::sign::jws::{Algorithm, JwsKey};
use beadle_common::sign::{WebhookPair, WebhookSecret};
use beadle_common::test_support::{self, TestDb};

use super::*;
use crate::net::Trust;
use crate::webhook::SenderConfig;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);
const BODY: &str = "{\"event\": {\"name\":\"B\\u00e4r\",  \"z\":1,\"a\":\"ü\"}}\n";

fn sealer(digit: &str) -> Sealer {
    Sealer::from_keys(&SecretString::from(digit.repeat(64))).unwrap()
}

fn event(id: EventId, body: &str) -> EventRow {
    EventRow {
        id,
        event_type: "user.action".to_owned(),
        tenant_id: TenantId::random(),
        action_log_id: None,
        linked_object_id: None,
        body: body.to_owned(),
        insert_instant: NOW,
    }
}

struct World {
    test: TestDb,
    transport: WebhookTransport,
    webhook: Webhook,
    event: EventId,
}

impl World {
    fn new(test: TestDb) -> Self {
        let id = WebhookId::random();
        let headers = r#"{"X-Token":"of the customer"}"#;
        let sealer = sealer("0");
        let headers = sealer.seal_text(Webhook::headers_place(id), headers);
        let password = sealer.seal_text(Webhook::password_place(id), "pass");
        let webhook = Webhook {
            connect_timeout: 1500,
            read_timeout: 2500,
            http_authentication_username: Some("user".to_owned()),
            http_authentication_password: Some(password.unwrap()),
            ..test_support::webhook(id, headers.unwrap())
        };
        let world = Self {
            test,
            transport: WebhookTransport::new(
                WebhookSender::new(SenderConfig::new(Trust::new(None).unwrap())),
                sealer,
                RetrySchedule::webhook(),
            ),
            webhook: webhook.clone(),
            event: EventId::sequential(),
        };
        let event = event(world.event, BODY);
        world.write(move |c| {
            webhook.insert(c)?;
            event.insert(c)
        });
        world
    }

    fn db(&self) -> &Db {
        &self.test.db
    }

    fn write(&self, work: impl FnOnce(&mut AnyConnection) -> QueryResult<()> + Send + 'static) {
        let work = |c: &mut AnyConnection| Ok::<_, beadle_common::db::DbError>(work(c)?);
        self.db().write_blocking(work).unwrap();
    }

    /// Adds a secret whose key is one byte over and over.
    fn secret(&self, byte: u8, age: u64, expiration_instant: Option<UnixMillis>) -> SigningKey {
        let secret = WebhookSecret::from_bytes(&[byte; 32]).unwrap();
        self.add(secret.into(), age, expiration_instant)
    }

    fn add(&self, secret: SigningKey, age: u64, end: Option<UnixMillis>) -> SigningKey {
        let id = WebhookSecretId::random();
        let text = secret.to_text();
        let sealed = self
            .transport
            .sealer
            .seal_text(WebhookSecretRow::place(id), text.expose_secret());
        let row = WebhookSecretRow {
            id,
            webhook_id: self.webhook.id,
            kind: SecretKind::from(&secret),
            secret: sealed.unwrap(),
            insert_instant: NOW.minus(Duration::from_secs(age)),
            expiration_instant: end,
            public_key: secret.public_text(),
        };
        self.write(move |c| row.insert(c));
        secret
    }

    /// A key that signs for this webhook, which asks for it.
    fn signing_key(&self, algorithm: Algorithm) -> JwsKey {
        let key = JwsKey::generate(algorithm, None).unwrap();
        let id = SigningKeyId::random();
        let sealed = self
            .transport
            .sealer
            .seal(SigningKeyRow::key_place(id), key.stored());
        let row = SigningKeyRow {
            id,
            name: id.to_string(),
            name_normalized: id.to_string(),
            algorithm,
            kid: "the-kid".to_owned(),
            length: key.length(),
            public_key: None,
            private_key: Some(sealed.unwrap()),
            insert_instant: NOW,
            last_update_instant: NOW,
            tenant_id: None,
        };
        let webhook = Webhook {
            signature_enabled: true,
            signing_key_id: Some(id),
            ..self.webhook.clone()
        };
        self.write(move |c| {
            row.insert(c)?;
            webhook.update(c).map(|_| ())
        });
        key
    }

    fn load_all(&self, claims: &[(DestinationId, EventId)]) -> Vec<Result<Job, Unsendable>> {
        let epoch = self
            .db()
            .read_blocking(|c| Ok::<_, beadle_common::db::DbError>(ConfigEpoch::current(c)?))
            .unwrap();
        let claim = |(destination, event): &(DestinationId, EventId)| Claimed {
            id: DeliveryId::sequential(),
            destination: *destination,
            payload: Payload::Webhook(*event),
            attempt: 1,
            base_attempt: 0,
            probe: None,
            token: LeaseToken::random(),
            insert_instant: NOW,
            due_at: NOW,
            config_epoch: epoch,
            inline_payload: None,
        };
        let claimed: Vec<Claimed> = claims.iter().map(claim).collect();
        let load = |c: &mut AnyConnection| {
            Ok::<_, beadle_common::db::DbError>(self.transport.load(c, claimed.clone(), NOW)?)
        };
        let loaded = self.db().read_blocking(load).unwrap();
        let (same, jobs): (Vec<_>, _) = loaded.into_iter().unzip();
        assert_eq!(same, claimed);
        jobs
    }

    fn load(&self, destination: DestinationId, event: EventId) -> Result<Job, Unsendable> {
        self.load_all(&[(destination, event)]).remove(0)
    }

    fn job(&self) -> Result<Job, Unsendable> {
        self.load(self.webhook.id.into(), self.event)
    }

    fn request(&self) -> WebhookRequest {
        made(self.job().unwrap())
    }
}

fn made_at(job: Job, now: UnixMillis) -> WebhookRequest {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(request(job, now)).unwrap()
}

fn made(job: Job) -> WebhookRequest {
    made_at(job, NOW)
}

fn signed(keys: &[&SigningKey], request: &WebhookRequest) -> String {
    let keys = keys.iter().map(|key| (*key).clone());
    let keys = LiveKeys::new(keys.collect()).unwrap();
    let id = MessageId::parse(&request.id).unwrap();
    sign(&keys, &id, 1_750_000_000, BODY.as_bytes())
}

fn what_is_stored_is_what_is_sent(world: World) {
    let secret = world.secret(1, 0, None);
    let request = world.request();
    assert_eq!(request.body, BODY.as_bytes());
    assert_eq!(request.id, world.event.to_string());
    assert_eq!(request.timestamp, 1_750_000_000);
    assert_eq!(request.signature, signed(&[&secret], &request));
    assert_eq!(request.url, world.webhook.url);
    assert_eq!(request.connect_timeout, Duration::from_millis(1500));
    assert_eq!(request.read_timeout, Duration::from_millis(2500));
}

fn headers_and_password_are_opened(world: World) {
    world.secret(1, 0, None);
    let request = world.request();
    let headers: BTreeMap<_, _> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect();
    assert_eq!(headers, BTreeMap::from([("X-Token", "of the customer")]));
    let (user, password) = request.basic_auth.unwrap();
    assert_eq!((user.as_str(), password.expose_secret()), ("user", "pass"));
}

fn every_live_secret_signs_newest_first(world: World) {
    let oldest = world.secret(1, 300, Some(NOW.plus(Duration::from_millis(1))));
    let newest = world.secret(2, 100, None);
    let middle = world.secret(3, 200, Some(NOW.plus(Duration::from_secs(60))));
    let request = world.request();
    assert_eq!(
        request.signature,
        signed(&[&newest, &middle, &oldest], &request)
    );
    assert_eq!(request.signature.split(' ').count(), 3);
}

fn secrets_of_both_kinds_sign_side_by_side(world: World) {
    let old = world.secret(1, 300, Some(NOW.plus(Duration::from_secs(60))));
    let pair = WebhookPair::generate(|bytes| {
        bytes.fill(7);
        Ok::<_, ()>(())
    });
    let new = world.add(SigningKey::V1a(pair.unwrap()), 100, None);
    let request = world.request();
    assert_eq!(request.signature, signed(&[&new, &old], &request));
    assert!(request.signature.starts_with("v1a,"));
    assert!(request.signature.contains(" v1,"));
}

fn a_secret_that_has_expired_does_not_sign(world: World) {
    world.secret(1, 300, Some(NOW));
    let current = world.secret(2, 100, None);
    let request = world.request();
    assert_eq!(request.signature, signed(&[&current], &request));
}

/// A webhook that is ready, with two secrets.
fn another_webhook(world: &World) -> WebhookId {
    let id = WebhookId::random();
    let sealer = &world.transport.sealer;
    let headers = sealer.seal_text(Webhook::headers_place(id), "{}");
    let webhook = test_support::webhook(id, headers.unwrap());
    let secret = |number: u8| {
        let id = WebhookSecretId::random();
        let secret = SigningKey::from(WebhookSecret::from_bytes(&[number; 32]).unwrap());
        let sealed = sealer.seal_text(
            WebhookSecretRow::place(id),
            secret.to_text().expose_secret(),
        );
        WebhookSecretRow {
            id,
            webhook_id: webhook.id,
            kind: SecretKind::from(&secret),
            secret: sealed.unwrap(),
            insert_instant: NOW,
            expiration_instant: None,
            public_key: None,
        }
    };
    let secrets = [secret(1), secret(2)];
    world.write(move |c| {
        webhook.insert(c)?;
        secrets.iter().try_for_each(|secret| secret.insert(c))
    });
    id
}

fn a_batch_takes_as_many_statements_as_one(world: World) {
    world.secret(1, 0, None);
    let destinations: [DestinationId; 2] =
        [world.webhook.id.into(), another_webhook(&world).into()];
    let statements = |claims: &[(DestinationId, EventId)]| {
        let before = world.db().statements();
        assert!(world.load_all(claims).iter().all(Result::is_ok));
        world.db().statements().since(before).run
    };
    // The epoch, which a claim brings along, the webhooks with their secrets, and the bodies.
    assert_eq!(statements(&[(destinations[0], world.event)]), 3);
    let mut events = vec![world.event];
    for _ in 0..20 {
        let event = event(EventId::sequential(), "{}");
        events.push(event.id);
        world.write(move |c| event.insert(c));
    }
    let of_event = |event: EventId| destinations.map(|destination| (destination, event));
    let claims: Vec<(DestinationId, EventId)> = events.into_iter().flat_map(of_event).collect();
    assert_eq!(statements(&claims), 3);
    // And the keys, of those who ask for a JWT.
    world.signing_key(Algorithm::Es256);
    assert_eq!(statements(&claims), 4);
    // What was read at the same epoch is known.
    assert_eq!(statements(&claims), 2);
}

fn without_a_secret_nothing_is_sent(world: World) {
    assert!(matches!(world.job(), Err(Unsendable::Broken(_))));
}

fn a_webhook_or_event_that_is_gone_cancels_the_delivery(world: World) {
    world.secret(1, 0, None);
    let of_nobody = world.load(DestinationId::random(), world.event);
    assert_eq!(of_nobody.unwrap_err(), Unsendable::Gone);
    let of_nothing = world.load(world.webhook.id.into(), EventId::sequential());
    assert_eq!(of_nothing.unwrap_err(), Unsendable::Gone);
}

fn the_wrong_secret_key_is_no_reason_to_give_up(mut world: World) {
    world.secret(1, 0, None);
    world.transport.sealer = sealer("1");
    match world.job() {
        Err(Unsendable::NotNow(failure)) => {
            assert!(failure.message.contains("BEADLE_SECRET_KEY"), "{failure:?}");
        }
        other => panic!("{other:?}"),
    }
}

beadle_common::on_both_databases!(
    #[test] |test| super::World::new(test);
    what_is_stored_is_what_is_sent,
    headers_and_password_are_opened,
    every_live_secret_signs_newest_first,
    secrets_of_both_kinds_sign_side_by_side,
    a_secret_that_has_expired_does_not_sign,
    a_batch_takes_as_many_statements_as_one,
    without_a_secret_nothing_is_sent,
    a_webhook_or_event_that_is_gone_cancels_the_delivery,
    the_wrong_secret_key_is_no_reason_to_give_up,
);

mod jwt;
