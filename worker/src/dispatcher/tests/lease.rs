//! Leases: too short, lapsed, lost; and what a stop does to them.

use beadle_common::outbox::{ClaimRequest, Destinations, claim};

use super::*;

/// Claims whatever is due by the clock of another worker.
fn claim_as_another(world: &World, now: UnixMillis, lease_end: UnixMillis) -> Vec<Claimed> {
    let request = ClaimRequest {
        kind: Kind::Webhook,
        now,
        lease_end,
        owner: "another".to_owned(),
        limit: 10,
        per_destination: 10,
        destinations: Destinations::default(),
    };
    world.write(move |c| claim(c, &request))
}

async fn a_lease_too_short_to_send_goes_back_unspent_and_does_not_spin(mut world: World) {
    // Sending takes 20 s at most, settling gets 5 s.
    world.limits.lease = 24 * SECOND;
    let id = world.add(DestinationId::random());
    let dispatcher = world.start();
    for back in 1..4 {
        until("it was claimed again", || {
            world.transport.loads.load(Ordering::SeqCst) == back
        })
        .await;
        let due_at = world.until_pending(id, 0).await;
        assert_eq!(due_at, world.now().plus(SECOND));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(world.transport.loads.load(Ordering::SeqCst), back);
        world.advance(SECOND);
    }
    world.stop(dispatcher).await;
    assert_eq!(world.sent(), []);
    assert_eq!(world.attempts(id), []);
}

async fn a_worker_that_died_has_used_an_attempt(world: World) {
    let id = world.add(DestinationId::random());
    assert_eq!(
        claim_as_another(&world, world.now(), NOW.plus(SECOND)).len(),
        1
    );
    let dispatcher = world.start();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.sent(), []);
    world.advance(SECOND);
    assert_eq!(world.fate_of(id).await, (DeliveryState::Delivered, 2));
    world.stop(dispatcher).await;
    assert_eq!(world.attempts(id), [(1, AttemptResult::Unknown)]);
}

async fn a_delivery_that_kills_every_worker_is_exhausted(world: World) {
    let id = world.add(DestinationId::random());
    for _ in 0..3 {
        assert_eq!(claim_as_another(&world, world.now(), world.now()).len(), 1);
    }
    let dispatcher = world.start();
    assert_eq!(world.fate_of(id).await, (DeliveryState::Exhausted, 3));
    world.stop(dispatcher).await;
    assert_eq!(world.sent(), []);
    let unknown = AttemptResult::Unknown;
    assert_eq!(
        world.attempts(id),
        [(1, unknown), (2, unknown), (3, unknown)]
    );
}

async fn a_worker_that_lost_its_lease_cannot_settle(world: World) {
    let id = world.add(world.destination(Act::Wait));
    let dispatcher = world.start();
    until("it flies", || world.flying() == 1).await;
    // The other's clock alone: by its own, this worker would take the row again itself.
    let later = world.now().plus(61 * SECOND);
    let another = claim_as_another(&world, later, later.plus(60 * SECOND));
    assert_eq!((another[0].id, another[0].attempt), (id, 2));
    world.open_gate(1);
    until("it finished", || world.flying() == 0).await;
    world.stop(dispatcher).await;
    assert_eq!(world.fate(id), None);
    assert_eq!(world.owed(id), Some((2, later.plus(60 * SECOND), true)));
}

async fn a_stop_lets_flights_land_and_starts_no_more(world: World) {
    let destination = world.destination(Act::Wait);
    let id = world.add(destination);
    let dispatcher = world.start();
    until("it flies", || world.flying() == 1).await;
    world.stop.cancel();
    let later = world.add(destination);
    world.wake.wake();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!dispatcher.is_finished());
    world.open_gate(2);
    dispatcher.await.unwrap();
    assert_eq!(world.fate(id), Some((DeliveryState::Delivered, 1)));
    assert_eq!(world.owed(later), Some((0, NOW, false)));
}

async fn attempts_over_the_grace_are_on_record_and_pending_again(mut world: World) {
    world.limits.grace = Duration::from_millis(100);
    let id = world.add(world.destination(Act::Hang));
    let dispatcher = world.start();
    until("it flies", || world.flying() == 1).await;
    world.stop(dispatcher).await;
    assert_eq!(world.owed(id), Some((1, NOW, false)));
    assert_eq!(world.attempts(id), [(1, AttemptResult::Unknown)]);
    assert_eq!(world.flying(), 0);
}

both_databases!(
    a_lease_too_short_to_send_goes_back_unspent_and_does_not_spin,
    a_worker_that_died_has_used_an_attempt,
    a_delivery_that_kills_every_worker_is_exhausted,
    a_worker_that_lost_its_lease_cannot_settle,
    a_stop_lets_flights_land_and_starts_no_more,
    attempts_over_the_grace_are_on_record_and_pending_again,
);
