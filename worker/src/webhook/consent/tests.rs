//! Promises of asking, with real sockets. What it tells of webhooks is next door.

mod fate;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use beadle_common::db::AnyConnection;
use beadle_common::id::{EventId, TenantId, WebhookSecretId};
use beadle_common::model::user_action::TransactionType;
use beadle_common::model::webhook::{SecretKind, WebhookSecretRow};
use beadle_common::outbox::{AttemptResult, destination_state};
use beadle_common::sign::WebhookSecret;
use beadle_common::test_support::{self, TestDb};
use secrecy::{ExposeSecret as _, SecretString};

use super::*;
use crate::core::policy::RetrySchedule;
use crate::net::{Allowlist, Trust};
use crate::webhook::receiver::{Answer, Receiver};
use crate::webhook::{SenderConfig, WebhookSender};
use beadle_common::seal::Sealer;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);
const BODY: &str = r#"{"event":{"type":"user.action"}}"#;

/// Longer than a receiver that answers may need.
const LIMIT: i32 = 20_000;

struct World {
    test: TestDb,
    clock: Arc<AtomicI64>,
    consent_client: ConsentClient,
}

impl World {
    fn new(allow: &[&str], schedule: &[u64]) -> Self {
        Self::on(TestDb::sqlite(), allow, schedule)
    }

    fn on(test: TestDb, allow: &[&str], schedule: &[u64]) -> Self {
        let allow = allow.iter().map(|network| network.parse().unwrap());
        let sender = SenderConfig {
            allow: Allowlist::new(allow.collect()),
            ..SenderConfig::new(Trust::new(None).unwrap())
        };
        let delays = schedule.iter().copied().map(Duration::from_secs).collect();
        let transport = WebhookTransport::new(
            WebhookSender::new(sender),
            Sealer::from_keys(&SecretString::from("0".repeat(64))).unwrap(),
            RetrySchedule::new(delays).unwrap(),
        );
        let clock = Arc::new(AtomicI64::new(NOW.millis()));
        let hand = Arc::clone(&clock);
        Self {
            test,
            clock,
            consent_client: ConsentClient {
                transport: Arc::new(transport),
                clock: Arc::new(move || UnixMillis::from_millis(hand.load(Ordering::SeqCst))),
                jitter: Arc::new(|| 1.0),
                policy: test_support::destination_policy(),
                metrics: Metrics::new().unwrap(),
            },
        }
    }

    fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    async fn state(&self, webhook: WebhookId) -> DestinationState {
        let state =
            move |c: &mut AnyConnection| Ok::<_, DbError>(destination_state(c, webhook.into())?);
        self.test.db.read(state).await.unwrap()
    }

    /// A webhook whose receiver answers this.
    async fn webhook_saying(&self, line: &str, headers: &str) -> WebhookId {
        let receiver = Receiver::start(Answer::status(line, headers, "")).await;
        self.webhook(&receiver.url(), LIMIT).await
    }

    fn reaching_this_machine() -> Self {
        Self::new(&["127.0.0.0/8"], &[0, 100, 100])
    }

    async fn write(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> diesel::QueryResult<()> + Send + 'static,
    ) {
        let work = |c: &mut AnyConnection| Ok::<_, DbError>(work(c)?);
        self.test.db.write(work).await.unwrap();
    }

    /// A global webhook to this address.
    async fn webhook(&self, url: &str, read_timeout: i32) -> WebhookId {
        let (id, sealer) = (WebhookId::random(), &self.consent_client.transport.sealer);
        let headers = sealer.seal_text(Webhook::headers_place(id), r#"{"X-Own":"header"}"#);
        let webhook = Webhook {
            url: url.to_owned(),
            global: true,
            connect_timeout: 2_000,
            read_timeout,
            ..test_support::webhook(id, headers.unwrap())
        };
        let secret_id = WebhookSecretId::random();
        let text = WebhookSecret::from_bytes(&[7; 32]).unwrap().to_text();
        let sealed = sealer.seal_text(WebhookSecretRow::place(secret_id), text.expose_secret());
        let secret = WebhookSecretRow {
            id: secret_id,
            webhook_id: id,
            kind: SecretKind::V1,
            secret: sealed.unwrap(),
            insert_instant: NOW,
            expiration_instant: None,
            public_key: None,
        };
        self.write(move |c| {
            webhook.insert(c)?;
            secret.insert(c)
        })
        .await;
        id
    }

    async fn ask(&self) -> FirstAttempts {
        let request = ConsentRequest {
            transaction_type: TransactionType::Any,
            tenant: TenantId::random(),
            event: EventId::sequential(),
            body: BODY.to_owned(),
        };
        self.consent_client
            .ask(&self.test.db, request)
            .await
            .unwrap()
    }
}

fn made(answers: &FirstAttempts, webhook: WebhookId) -> (AttemptRecordParts, Disposition) {
    match &answers.0[&webhook] {
        FirstAttempt::Made {
            record,
            disposition,
        } => (
            (record.result, record.status_code, record.class.clone()),
            *disposition,
        ),
        FirstAttempt::NotMade => panic!("{webhook} was not called"),
    }
}

type AttemptRecordParts = (AttemptResult, Option<i32>, Option<String>);

const DELIVERED: Disposition = Disposition::Finished(DeliveryState::Delivered);

#[tokio::test]
async fn what_is_asked_is_a_signed_webhook_like_any_other() {
    let world = World::reaching_this_machine();
    let receiver = Receiver::start(Answer::status("204 No Content", "", "")).await;
    let webhook = world.webhook(&receiver.url(), LIMIT).await;
    let answers = world.ask().await;
    let expected = (AttemptResult::Success, Some(204), None);
    assert_eq!(made(&answers, webhook), (expected, DELIVERED));
    let request = receiver.requests().remove(0);
    for part in [
        "webhook-id: ",
        "webhook-signature: v1,",
        "x-own: header",
        BODY,
    ] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
    assert!(request.contains("webhook-timestamp: 1750000000\r\n"));
}

#[tokio::test]
async fn a_failure_is_tried_again_by_the_schedule_or_later_if_the_receiver_asks() {
    let world = World::reaching_this_machine();
    let plain = Receiver::start(Answer::status("500 No", "", "")).await;
    let busy = Receiver::start(Answer::status("503 No", "retry-after: 3600\r\n", "")).await;
    let hooks = [
        world.webhook(&plain.url(), LIMIT).await,
        world.webhook(&busy.url(), LIMIT).await,
    ];
    let answers = world.ask().await;
    assert_eq!((answers.asked(), answers.agreed()), (2, 0));
    let http = |status| {
        (
            AttemptResult::Failure,
            Some(status),
            Some("http".to_owned()),
        )
    };
    let after = |seconds| Disposition::Retry {
        at: NOW.plus(Duration::from_secs(seconds)),
    };
    // With all of the jitter.
    assert_eq!(made(&answers, hooks[0]), (http(500), after(110)));
    assert_eq!(made(&answers, hooks[1]), (http(503), after(3600)));
}

#[tokio::test]
async fn with_a_single_attempt_a_failure_is_final() {
    let world = World::new(&["127.0.0.0/8"], &[0]);
    let receiver = Receiver::start(Answer::status("500 No", "", "")).await;
    let webhook = world.webhook(&receiver.url(), LIMIT).await;
    let (_, disposition) = made(&world.ask().await, webhook);
    assert_eq!(disposition, Disposition::Finished(DeliveryState::Exhausted));
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_not_asked() {
    let world = World::new(&[], &[0, 100]);
    let receiver = Receiver::start(Answer::status("200 OK", "", "")).await;
    let webhook = world.webhook(&receiver.url(), LIMIT).await;
    let ((result, status, class), _) = made(&world.ask().await, webhook);
    assert_eq!((result, status), (AttemptResult::Failure, None));
    assert_eq!(class.as_deref(), Some("blocked"));
    assert_eq!(receiver.accepted(), 0);
}

#[tokio::test]
async fn those_who_hang_are_waited_for_side_by_side() {
    let world = World::reaching_this_machine();
    let hanging = Receiver::start(Answer::Hang).await;
    let mut hooks = Vec::new();
    for _ in 0..20 {
        hooks.push(world.webhook(&hanging.url(), 500).await);
    }
    let prompt = Receiver::start(Answer::status("200 OK", "", "")).await;
    let agreed = world.webhook(&prompt.url(), LIMIT).await;
    let started = std::time::Instant::now();
    let answers = world.ask().await;
    // One after another they would need fifty seconds.
    assert!(
        started.elapsed() < Duration::from_secs(25),
        "{:?}",
        started.elapsed()
    );
    assert_eq!((answers.asked(), answers.agreed()), (21, 1));
    assert_eq!(made(&answers, agreed).1, DELIVERED);
    for webhook in hooks {
        let ((_, _, class), _) = made(&answers, webhook);
        assert_eq!(class.as_deref(), Some("timeout"));
    }
}

#[tokio::test]
async fn a_webhook_that_is_disabled_is_not_called_and_has_not_agreed() {
    let world = World::reaching_this_machine();
    let receiver = Receiver::start(Answer::status("200 OK", "", "")).await;
    let (on, off) = (
        world.webhook(&receiver.url(), LIMIT).await,
        world.webhook(&receiver.url(), LIMIT).await,
    );
    let disable = move |c: &mut AnyConnection| {
        use beadle_common::id::DestinationId;
        use beadle_common::schema::destination_states::dsl;
        use diesel::{ExpressionMethods as _, RunQueryDsl as _};
        let state = (
            dsl::destination.eq(DestinationId::from(off)),
            dsl::failures.eq(0),
            dsl::throttles.eq(0),
            dsl::circuit.eq("Closed"),
            dsl::circuit_opened.eq(0),
            dsl::theoretical_arrival_micros.eq(0),
            dsl::disabled_instant.eq(Some(NOW)),
            dsl::disabled_reason.eq(Some("failing")),
        );
        diesel::insert_into(dsl::destination_states)
            .values(state)
            .execute(c)?;
        Ok(())
    };
    world.write(disable).await;
    let answers = world.ask().await;
    assert_eq!((answers.asked(), answers.agreed()), (2, 1));
    assert_eq!(answers.0[&off], FirstAttempt::NotMade);
    assert_eq!(made(&answers, on).1, DELIVERED);
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_webhook_that_cannot_sign_has_not_agreed() {
    let world = World::reaching_this_machine();
    let receiver = Receiver::start(Answer::status("200 OK", "", "")).await;
    let webhook = world.webhook(&receiver.url(), LIMIT).await;
    let forget = |c: &mut AnyConnection| {
        use beadle_common::schema::webhook_secrets::dsl;
        use diesel::RunQueryDsl as _;
        diesel::delete(dsl::webhook_secrets).execute(c)?;
        Ok(())
    };
    world.write(forget).await;
    let (_, disposition) = made(&world.ask().await, webhook);
    assert_eq!(disposition, Disposition::Finished(DeliveryState::Exhausted));
    assert_eq!(receiver.accepted(), 0);
}
