//! What an answer makes of a delivery and of its destination, and what all workers make of it.

use beadle_common::bootstrap::bootstrap;
use beadle_common::outbox::{
    Circuit, DestinationState, DisabledReason, FAILURES_TO_OPEN, destination_state,
};
use beadle_common::schema::{emails, event_logs};
use beadle_common::seal::Sealer;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

impl World {
    fn state(&self, destination: DestinationId) -> DestinationState {
        self.read(|c| destination_state(c, destination))
    }

    /// A registered webhook.
    fn webhook(&self, contact: Option<&str>, rate_limit: Option<i32>) -> DestinationId {
        let mut webhook = test_support::webhook(WebhookId::random(), Vec::new());
        webhook.url = "https://user:secret@hooli.example/hook?token=secret".to_owned();
        webhook.contact_email = contact.map(str::to_owned);
        webhook.rate_limit = rate_limit;
        let destination = webhook.id.into();
        self.write(move |c| webhook.insert(c));
        destination
    }
}

fn answer(status: u16, retry_after: Option<Duration>) -> Act {
    Act::Answer(Failure {
        retry_after,
        ..Failure::new(ErrorClass::Http, "an answer")
            .status(Some(status))
            .kind(FailureKind::of_status(status))
    })
}

/// Each is tried once; a delivery that came with it is not, if its destination rests.
async fn every_answer_but_success_is_tried_again_by_the_schedule_or_later(world: World) {
    let minute = Some(60 * SECOND);
    let day = Some(48 * HOUR);
    let table = [
        (answer(301, None), 5 * SECOND, None),
        (answer(400, None), 5 * SECOND, None),
        (answer(500, minute), 60 * SECOND, None),
        (answer(503, None), 5 * SECOND, None),
        (answer(503, minute), 60 * SECOND, None),
        (answer(503, Some(SECOND)), 5 * SECOND, None),
        (answer(503, day), 24 * HOUR, None),
        (answer(429, None), 5 * SECOND, Some(SECOND)),
        (answer(429, minute), 60 * SECOND, Some(60 * SECOND)),
        (answer(429, day), 24 * HOUR, Some(24 * HOUR)),
        (answer(502, None), 5 * SECOND, Some(SECOND)),
        (answer(504, None), 5 * SECOND, Some(SECOND)),
    ];
    let destinations: Vec<_> = table
        .iter()
        .map(|(act, ..)| {
            let destination = world.destination(act.clone());
            (destination, world.add(destination))
        })
        .collect();
    let dispatcher = world.start();
    for ((destination, id), (act, retried, rest)) in destinations.iter().zip(&table) {
        let due = world.until_pending(*id, 1).await;
        assert_eq!(due, NOW.plus(*retried), "{act:?}");
        let state = world.state(*destination);
        assert_eq!(
            state.throttled_until,
            rest.map(|rest| NOW.plus(rest)),
            "{act:?}"
        );
        assert_eq!((state.failures, state.failing_since), (1, Some(NOW)));
        assert_eq!(world.attempts(*id), [(1, AttemptResult::Failure)]);
    }
    world.stop(dispatcher).await;
}

/// Nobody but an operator can mend it, and each further try would use up an attempt.
async fn a_refused_login_rests_its_destination_and_no_other(world: World) {
    let minute = 60 * SECOND;
    let refused = Failure {
        retry_after: Some(minute),
        ..Failure::new(ErrorClass::Smtp, "wrong user name or password")
            .status(Some(535))
            .kind(FailureKind::Credentials)
    };
    let destination = world.destination(Act::Answer(refused));
    let first = world.add(destination);
    let dispatcher = world.start();
    assert_eq!(world.until_pending(first, 1).await, NOW.plus(minute));
    assert_eq!(
        world.state(destination).throttled_until,
        Some(NOW.plus(minute))
    );

    let second = world.add(destination);
    let other = DestinationId::random();
    for rested in [Duration::ZERO, minute - Duration::from_millis(1)] {
        world.advance(rested);
        let beside = world.add(other);
        world.wake.wake();
        assert_eq!(world.fate_of(beside).await, (DeliveryState::Delivered, 1));
        assert_eq!(world.owed(first), Some((1, NOW.plus(minute), false)));
        assert_eq!(world.owed(second), Some((0, NOW, false)));
    }
    assert_eq!(world.sent().len(), 3, "the resting destination was tried");

    world.act(destination, Act::Deliver);
    world.advance(Duration::from_millis(1));
    assert_eq!(world.fate_of(first).await, (DeliveryState::Delivered, 2));
    assert_eq!(world.fate_of(second).await, (DeliveryState::Delivered, 1));
    assert_eq!(world.attempts(first), [(1, AttemptResult::Failure)]);
    assert_eq!(
        world.state(destination),
        DestinationState::healthy(destination)
    );
    world.stop(dispatcher).await;
}

async fn every_class_of_failure_is_a_failure_of_the_destination(world: World) {
    let tried: Vec<_> = ErrorClass::ALL
        .into_iter()
        .map(|class| {
            let destination = world.destination(Act::Answer(Failure::new(class, "no")));
            (class, destination, world.add(destination))
        })
        .collect();
    let dispatcher = world.start();
    for (class, destination, id) in tried {
        assert_eq!(world.until_pending(id, 1).await, NOW.plus(5 * SECOND));
        assert_eq!(world.state(destination).failures, 1, "{class}");
        let stored: Option<String> = world.read(|c| {
            attempts::table
                .filter(attempts::delivery_id.eq(id))
                .select(attempts::class)
                .first(c)
        });
        assert_eq!(stored.as_deref(), Some(class.as_str()));
    }
    world.stop(dispatcher).await;
}

async fn our_own_faults_say_nothing_about_the_destination(world: World) {
    let destination = DestinationId::random();
    let (unsigned, mendable) = (world.add(destination), world.add(destination));
    let fault = || Failure::new(ErrorClass::Unknown, "the key cannot sign");
    world.fault(unsigned, Fault::Unsendable(Unsendable::Broken(fault())));
    world.fault(mendable, Fault::Unsendable(Unsendable::NotNow(fault())));
    let dispatcher = world.start();
    assert_eq!(world.fate_of(unsigned).await, (DeliveryState::Exhausted, 1));
    world.until_pending(mendable, 1).await;
    world.stop(dispatcher).await;
    assert_eq!(
        world.state(destination),
        DestinationState::healthy(destination)
    );
}

async fn gone_disables_holds_and_tells(world: World) {
    let destination = world.webhook(Some("ops@hooli.example"), None);
    world.act(destination, answer(410, None));
    let sealer = Sealer::from_keys(&"00".repeat(32).into()).unwrap();
    tokio::task::block_in_place(|| bootstrap(&world.db, &sealer, None, NOW)).unwrap();
    let first = world.add(destination);
    let dispatcher = world.start();
    world.until_pending(first, 1).await;
    assert_eq!(
        world.state(destination).disabled(),
        Some((NOW, DisabledReason::Gone))
    );
    let second = world.add(destination);
    world.act(destination, Act::Deliver);
    world.advance(10_000 * HOUR);
    let other = world.add(DestinationId::random());
    world.wake.wake();
    world.fate_of(other).await;
    assert_eq!(world.owed(second), Some((0, NOW, false)));
    world.stop(dispatcher).await;
    assert_eq!(world.sent(), [(first, 1), (other, 1)]);

    let mails: Vec<(String, String, String)> = world.read(|c| {
        emails::table
            .select((emails::subject, emails::text, emails::html))
            .load(c)
    });
    let [(subject, text, html)] = &mails[..] else {
        panic!("{mails:?}");
    };
    assert_eq!(
        *subject,
        format!("The webhook {destination} has been disabled")
    );
    assert!(
        text.contains("at https://hooli.example has been disabled"),
        "{text}"
    );
    assert!(text.contains(&format!("POST /api/webhook/{destination}/enable")));
    assert!(
        html.starts_with("<p>") && !html.contains("secret"),
        "{html}"
    );
    let logged: Vec<String> = world.read(|c| event_logs::table.select(event_logs::message).load(c));
    assert!(logged.len() == 1 && logged[0].contains("410"), "{logged:?}");
    let recipients: Vec<Option<String>> = world.read(|c| {
        outbox::table
            .filter(outbox::email_id.is_not_null())
            .select(outbox::recipient)
            .load(c)
    });
    assert_eq!(recipients, [Some("ops@hooli.example".to_owned())]);
}

async fn nothing_but_failures_for_long_disables(mut world: World) {
    world.policy.disable_after = Some(300 * SECOND);
    let destination = world.webhook(None, None);
    world.act(destination, answer(500, None));
    let id = world.add(destination);
    let dispatcher = world.start();
    world.until_pending(id, 1).await;
    world.advance(5 * SECOND);
    world.until_pending(id, 2).await;
    assert_eq!(world.state(destination).disabled(), None);
    world.advance(300 * SECOND);
    assert_eq!(world.fate_of(id).await, (DeliveryState::Exhausted, 3));
    world.stop(dispatcher).await;
    let disabled = Some((NOW.plus(305 * SECOND), DisabledReason::Failing));
    assert_eq!(world.state(destination).disabled(), disabled);
    let shown = world.metrics.show(&world.db, world.now()).await.unwrap();
    let counted = r#"beadle_webhooks_disabled_total{reason="failing"} 1"#;
    assert!(shown.lines().any(|line| line == counted), "{shown}");
}

async fn an_open_circuit_is_probed_once_and_closed_by_a_success(mut world: World) {
    world.limits.per_destination = 32;
    world.limits.slots = 64;
    let destination = world.destination(answer(500, None));
    let many = world.add_many(destination, 40);
    let dispatcher = world.start();
    until("the circuit opens", || {
        world.state(destination).circuit == Circuit::Open
    })
    .await;
    until("all have finished", || world.flying() == 0).await;
    let sent = world.sent().len();
    assert!(sent >= usize::try_from(FAILURES_TO_OPEN).unwrap() && sent < many.len());
    world.act(destination, Act::Wait);
    world.advance(SECOND);
    until("it is probed", || world.flying() == 1).await;
    world.advance(10 * SECOND);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((world.flying(), world.sent().len()), (1, sent + 1));
    world.act(destination, Act::Deliver);
    world.open_gate(1);
    for id in many {
        assert_eq!(world.fate_of(id).await.0, DeliveryState::Delivered);
    }
    assert_eq!(
        world.state(destination),
        DestinationState::healthy(destination)
    );
    world.stop(dispatcher).await;
}

async fn a_rate_limit_holds_for_two_workers(world: World) {
    let destination = world.webhook(None, Some(5));
    world.add_many(destination, 20);
    let dispatchers = [world.start(), world.start()];
    for expected in [5, 6, 7] {
        until("the next one is sent", || world.sent().len() == expected).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(world.sent().len(), expected, "too many");
        world.advance(Duration::from_millis(200));
    }
    world.stop.cancel();
    for dispatcher in dispatchers {
        dispatcher.await.unwrap();
    }
}

async fn a_replayed_delivery_begins_its_schedule_anew(world: World) {
    let id = world.add(world.destination(answer(500, None)));
    world.write(move |c| {
        diesel::update(outbox::table.find(id))
            .set((
                outbox::attempt.eq(7),
                outbox::base_attempt.eq(7),
                outbox::priority.eq(1),
            ))
            .execute(c)
    });
    let dispatcher = world.start();
    assert_eq!(world.until_pending(id, 8).await, NOW.plus(5 * SECOND));
    world.advance(5 * SECOND);
    world.until_pending(id, 9).await;
    world.advance(300 * SECOND);
    assert_eq!(world.fate_of(id).await, (DeliveryState::Exhausted, 10));
    world.stop(dispatcher).await;
}

both_databases!(
    every_answer_but_success_is_tried_again_by_the_schedule_or_later,
    a_refused_login_rests_its_destination_and_no_other,
    every_class_of_failure_is_a_failure_of_the_destination,
    our_own_faults_say_nothing_about_the_destination,
    gone_disables_holds_and_tells,
    nothing_but_failures_for_long_disables,
    an_open_circuit_is_probed_once_and_closed_by_a_success,
    a_rate_limit_holds_for_two_workers,
    a_replayed_delivery_begins_its_schedule_anew,
);
