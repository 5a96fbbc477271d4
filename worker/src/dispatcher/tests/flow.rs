//! Many deliveries: slots, destinations, wake-ups.

use std::time::Instant as RealInstant;

use super::*;
use crate::dispatcher::poll_once::PollResult;
use crate::dispatcher::settler::Settler;

async fn no_more_than_the_slots_are_ever_in_flight(mut world: World) {
    world.limits.slots = 6;
    world.limits.per_destination = 4;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.extend(world.add_many(world.destination(Act::Wait), 12));
    }
    let dispatcher = world.start();
    for done in 0..ids.len() {
        // Without this, gates would be open before anybody waits at them.
        let left = ids.len() - done;
        until("somebody waits", || world.flying() >= left.min(3)).await;
        world.open_gate(1);
        until("one has gone", || {
            world.transport.gate.available_permits() == 0
        })
        .await;
    }
    for id in &ids {
        assert_eq!(world.fate_of(*id).await, (DeliveryState::Delivered, 1));
    }
    world.stop(dispatcher).await;
    assert!(world.transport.most.load(Ordering::SeqCst) <= 6);
    assert_eq!(world.sent().len(), ids.len());
}

async fn one_slow_destination_does_not_hold_the_others(world: World) {
    world.add_many(world.destination(Act::Hang), 100);
    let mut good = Vec::new();
    for _ in 0..10 {
        good.extend(world.add_many(DestinationId::random(), 20));
    }
    let began = RealInstant::now();
    let dispatcher = world.start();
    for id in good {
        world.fate_of(id).await;
    }
    assert!(began.elapsed() < 5 * SECOND, "{:?}", began.elapsed());
    assert!(world.flying() <= 8, "more than the destination's own slots");
    dispatcher.abort();
}

async fn hanging_destinations_leave_the_healthy_ones_their_half(world: World) {
    let dispatcher = world.start();
    // Two destinations hang with all of their slots, which is all that they get together.
    for _ in 0..2 {
        world.add_many(world.destination(Act::TimeOut), 20);
    }
    world.wake.wake();
    until("they have what they get", || world.flying() == 14).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // Most of them time out, and more of the same kind wait for their place.
    world.open_gate(12);
    let good = world.add_many(DestinationId::random(), 50);
    world.wake.wake();
    for id in good {
        world.fate_of(id).await;
    }
    assert!(world.flying() <= 16);
    dispatcher.abort();
}

async fn work_that_comes_while_idle_is_taken_at_once(world: World) {
    let dispatcher = world.start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut waits = Vec::new();
    for _ in 0..10 {
        let sent = world.sent().len();
        world.add(DestinationId::random());
        let began = RealInstant::now();
        world.wake.wake();
        until("it is sent", || world.sent().len() > sent).await;
        waits.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    world.stop(dispatcher).await;
    waits.sort();
    // Half of them, since the machine may be busy with other tests.
    assert!(waits[5] < Duration::from_millis(150), "{waits:?}");
}

async fn work_that_comes_without_a_wake_up_is_found_by_polling(world: World) {
    let dispatcher = world.start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let id = world.add(DestinationId::random());
    let began = RealInstant::now();
    world.fate_of(id).await;
    assert!(began.elapsed() < 3 * SECOND, "{:?}", began.elapsed());
    world.stop(dispatcher).await;
}

async fn a_retry_that_is_due_at_once_does_not_wait_for_the_poll(mut world: World) {
    let Some(transport) = Arc::get_mut(&mut world.transport) else {
        panic!("nobody else has it yet");
    };
    transport.schedule = RetrySchedule::new(vec![Duration::ZERO; 10]).unwrap();
    let id = world.add(world.destination(Act::Fail(FailureKind::Retry)));
    let began = RealInstant::now();
    let dispatcher = world.start();
    assert_eq!(world.fate_of(id).await, (DeliveryState::Exhausted, 10));
    assert!(began.elapsed() < 8 * SECOND, "{:?}", began.elapsed());
    world.stop(dispatcher).await;
}

async fn nobody_asks_what_is_due_next_while_something_happens(world: World) {
    world.add(DestinationId::random());
    let around = world.surroundings();
    let (_settler, ledger) = Settler::new(Kind::Webhook, &around);
    let dispatcher = Dispatcher::new(Arc::clone(&world.transport), around, world.limits);
    let before = world.db.statements();
    let asked = || world.db.statements().since(before).run;
    let mut until_due = Box::pin(dispatcher.until_due(PollResult::default(), &ledger));
    tokio::select! {
        biased;
        () = &mut until_due => panic!("it has not even begun"),
        // A wake-up, right after the look.
        () = std::future::ready(()) => {}
    }
    // Long enough for a question that has been put.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(asked(), 0);
    until_due.await;
    assert!(asked() > 0);
}

async fn an_overloaded_destination_waits_without_spending_attempts(world: World) {
    let destination = world.destination(Act::Fail(FailureKind::Throttle));
    let first = world.add(destination);
    let dispatcher = world.start();
    world.until_pending(first, 1).await;
    let second = world.add(destination);
    let other = world.add(DestinationId::random());
    world.wake.wake();
    world.fate_of(other).await;
    assert_eq!(world.owed(second), Some((0, NOW, false)));
    world.act(destination, Act::Deliver);
    world.advance(SECOND);
    assert_eq!(world.fate_of(second).await, (DeliveryState::Delivered, 1));
    world.stop(dispatcher).await;
}

both_databases!(
    no_more_than_the_slots_are_ever_in_flight,
    one_slow_destination_does_not_hold_the_others,
    hanging_destinations_leave_the_healthy_ones_their_half,
    work_that_comes_while_idle_is_taken_at_once,
    work_that_comes_without_a_wake_up_is_found_by_polling,
    a_retry_that_is_due_at_once_does_not_wait_for_the_poll,
    nobody_asks_what_is_due_next_while_something_happens,
    an_overloaded_destination_waits_without_spending_attempts,
);
