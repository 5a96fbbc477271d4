//! What becomes of one delivery.

use super::*;

async fn a_delivery_is_sent_once_and_settled(world: World) {
    let id = world.add(DestinationId::random());
    let dispatcher = world.start();
    assert_eq!(world.fate_of(id).await, (DeliveryState::Delivered, 1));
    world.advance(3600 * SECOND);
    world.stop(dispatcher).await;
    assert_eq!(world.sent(), [(id, 1)]);
    assert_eq!(world.owed(id), None);
    assert_eq!(world.attempts(id), []);
    let (status, excerpt): (Option<i32>, Option<String>) = world.read(|c| {
        deliveries::table
            .find(id)
            .select((deliveries::status_code, deliveries::response_excerpt))
            .first(c)
    });
    assert_eq!(
        (status, excerpt.as_deref()),
        (Some(200), Some("o\u{fffd}k"))
    );
}

async fn failures_are_retried_by_the_schedule_and_end_exhausted(world: World) {
    let id = world.add(world.destination(Act::Fail(FailureKind::Retry)));
    let dispatcher = world.start();
    assert_eq!(world.until_pending(id, 1).await, NOW.plus(5 * SECOND));
    world.advance(5 * SECOND - Duration::from_millis(1));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.sent().len(), 1, "before its time");
    world.advance(Duration::from_millis(1));
    assert_eq!(world.until_pending(id, 2).await, NOW.plus(305 * SECOND));
    world.advance(300 * SECOND);
    assert_eq!(world.fate_of(id).await, (DeliveryState::Exhausted, 3));
    world.stop(dispatcher).await;
    // The last one stands with the delivery.
    let failure = AttemptResult::Failure;
    assert_eq!(world.attempts(id), [(1, failure), (2, failure)]);
    assert_eq!(world.sent(), [(id, 1), (id, 2), (id, 3)]);
}

async fn a_delivery_refused_for_good_is_not_tried_again(world: World) {
    let id = world.add(world.destination(Act::Fail(FailureKind::Refused)));
    let dispatcher = world.start();
    assert_eq!(world.fate_of(id).await, (DeliveryState::Exhausted, 1));
    world.stop(dispatcher).await;
}

async fn a_delivery_without_a_receiver_is_canceled(world: World) {
    let id = world.add(DestinationId::random());
    world.fault(id, Fault::Unsendable(Unsendable::Gone));
    let dispatcher = world.start();
    assert_eq!(world.fate_of(id).await, (DeliveryState::Canceled, 0));
    world.stop(dispatcher).await;
    assert_eq!(world.sent(), []);
}

async fn a_broken_delivery_is_exhausted_at_once_with_its_reason(world: World) {
    let id = world.add(DestinationId::random());
    let why = Failure::new(ErrorClass::Render, "the mail cannot become a message");
    world.fault(id, Fault::Unsendable(Unsendable::Broken(why)));
    let dispatcher = world.start();
    assert_eq!(world.fate_of(id).await, (DeliveryState::Exhausted, 1));
    world.stop(dispatcher).await;
    let reason: (Option<String>, Option<String>) = world.read(|c| {
        deliveries::table
            .find(id)
            .select((deliveries::class, deliveries::message))
            .first(c)
    });
    assert_eq!(reason.0.as_deref(), Some("render"));
    assert_eq!(
        reason.1.as_deref(),
        Some("the mail cannot become a message")
    );
    assert_eq!(world.sent(), []);
}

async fn what_an_operator_can_mend_is_retried(world: World) {
    let id = world.add(DestinationId::random());
    let why = Failure::new(ErrorClass::Unknown, "check BEADLE_SECRET_KEY");
    world.fault(id, Fault::Unsendable(Unsendable::NotNow(why)));
    let dispatcher = world.start();
    assert_eq!(world.until_pending(id, 1).await, NOW.plus(5 * SECOND));
    world.transport.faults.lock().unwrap().clear();
    world.advance(5 * SECOND);
    assert_eq!(world.fate_of(id).await, (DeliveryState::Delivered, 2));
    world.stop(dispatcher).await;
}

async fn what_cannot_be_loaded_spoils_no_other_of_its_batch(world: World) {
    let destination = DestinationId::random();
    let (poison, good) = (world.add(destination), world.add(destination));
    world.fault(poison, Fault::Panic);
    let dispatcher = world.start();
    assert_eq!(world.fate_of(good).await, (DeliveryState::Delivered, 1));
    // It has used its attempts, and does not come back for ever.
    for (attempt, wait) in [(1, 5 * SECOND), (2, 300 * SECOND)] {
        world.until_pending(poison, attempt).await;
        world.advance(wait);
    }
    assert_eq!(world.fate_of(poison).await, (DeliveryState::Exhausted, 3));
    world.stop(dispatcher).await;
}

async fn a_panic_while_sending_spoils_no_other_delivery(world: World) {
    let (mad, sane) = (world.destination(Act::Panic), DestinationId::random());
    let panicking = world.add_many(mad, 8);
    let good = world.add(sane);
    let dispatcher = world.start();
    assert_eq!(world.fate_of(good).await, (DeliveryState::Delivered, 1));
    for id in &panicking {
        // As scheduled, with an attempt of which nobody knows how it went.
        assert_eq!(world.until_pending(*id, 1).await, NOW.plus(5 * SECOND));
        assert_eq!(world.attempts(*id), [(1, AttemptResult::Unknown)]);
    }
    world.act(mad, Act::Deliver);
    world.advance(5 * SECOND);
    for id in panicking {
        assert_eq!(world.fate_of(id).await, (DeliveryState::Delivered, 2));
    }
    world.stop(dispatcher).await;
}

async fn a_transport_that_overruns_its_limit_is_cut_off(mut world: World) {
    let Some(transport) = Arc::get_mut(&mut world.transport) else {
        panic!("nobody else has it yet");
    };
    transport.limit = Duration::ZERO;
    let id = world.add(world.destination(Act::Hang));
    let dispatcher = world.start();
    world.until_pending(id, 1).await;
    world.stop(dispatcher).await;
    assert_eq!(world.attempts(id), [(1, AttemptResult::Failure)]);
}

both_databases!(
    a_delivery_is_sent_once_and_settled,
    failures_are_retried_by_the_schedule_and_end_exhausted,
    a_delivery_refused_for_good_is_not_tried_again,
    a_delivery_without_a_receiver_is_canceled,
    a_broken_delivery_is_exhausted_at_once_with_its_reason,
    what_an_operator_can_mend_is_retried,
    what_cannot_be_loaded_spoils_no_other_of_its_batch,
    a_panic_while_sending_spoils_no_other_delivery,
    a_transport_that_overruns_its_limit_is_cut_off,
);
