//! Settling, apart from how deliveries come to be settled.

use beadle_common::outbox::{
    ClaimRequest, Destinations, Disposition, PeerSignal, Settlement, claim,
};

use super::*;
use crate::core::signal::record;
use crate::dispatcher::attempt::AttemptDone;
use crate::dispatcher::settler::{Settler, SettlerHandle};

/// Claimed deliveries that have arrived, one of each destination.
fn arrived(world: &World, destinations: &[DestinationId]) -> Vec<AttemptDone> {
    for destination in destinations {
        world.add(*destination);
    }
    let request = ClaimRequest {
        kind: Kind::Webhook,
        now: NOW,
        lease_end: NOW.plus(60 * SECOND),
        owner: "test".to_owned(),
        limit: 10,
        per_destination: 10,
        destinations: Destinations::default(),
    };
    let claimed = world.write(move |c| claim(c, &request));
    let done = |claimed: &Claimed| AttemptDone {
        settlement: Settlement {
            id: claimed.id,
            destination: claimed.destination,
            token: claimed.token,
            attempt: claimed.attempt,
            record: Some(record(NOW, &delivered())),
            disposition: Disposition::Finished(DeliveryState::Delivered),
            peer_signal: PeerSignal::Good,
            probe: None,
            now: NOW,
        },
        lease_end: NOW.plus(60 * SECOND),
        _kept: None,
    };
    let mut done: Vec<AttemptDone> = claimed.iter().map(done).collect();
    done.sort_unstable_by_key(|done| {
        destinations
            .iter()
            .position(|destination| *destination == done.settlement.destination)
    });
    done
}

/// As if it had been delivered before: the database takes no second one.
fn have_it_refused(world: &World, done: &AttemptDone) {
    let (id, destination) = (done.settlement.id, done.settlement.destination);
    world.write(move |c| {
        diesel::insert_into(deliveries::table)
            .values((
                deliveries::id.eq(id),
                deliveries::kind.eq(0i16),
                deliveries::destination.eq(destination),
                deliveries::state.eq(DeliveryState::Canceled),
                deliveries::attempt.eq(0),
                deliveries::insert_instant.eq(NOW),
                deliveries::settle_instant.eq(NOW),
            ))
            .execute(c)
    });
}

/// What it must not do is try for as long as the lease holds.
async fn write(world: &World, done: Vec<AttemptDone>) {
    let (settler, _ledger) = Settler::new(Kind::Webhook, &world.surroundings());
    let written = tokio::time::timeout(30 * SECOND, settler.write(done));
    written.await.unwrap();
}

/// As if it never had been.
fn have_it_taken(world: &World, id: DeliveryId) {
    world.write(move |c| diesel::delete(deliveries::table.find(id)).execute(c));
}

/// A settler at work.
struct AtWork {
    ledger: SettlerHandle,
    task: JoinHandle<()>,
}

impl AtWork {
    fn start(world: &World) -> Self {
        let (settler, ledger) = Settler::new(Kind::Webhook, &world.surroundings());
        let task = tokio::spawn(settler.run());
        Self { ledger, task }
    }

    async fn land(&self, done: Vec<AttemptDone>) {
        for done in done {
            assert!(self.ledger.done.send(done).await.is_ok());
        }
    }

    fn is_behind(&self) -> bool {
        *self.ledger.behind.borrow()
    }

    async fn stop(self) {
        drop(self.ledger);
        tokio::time::timeout(30 * SECOND, self.task)
            .await
            .unwrap()
            .unwrap();
    }
}

async fn what_the_database_refuses_spoils_no_other(world: World) {
    let done = arrived(&world, &[DestinationId::random(), DestinationId::random()]);
    let (refused, other) = (done[0].settlement.id, done[1].settlement.id);
    have_it_refused(&world, &done[0]);
    write(&world, done).await;
    assert_eq!(world.fate(other), Some((DeliveryState::Delivered, 1)));
    assert!(world.owed(refused).is_some_and(|(_, _, leased)| leased));
}

async fn what_the_database_refuses_does_not_stop_a_worker_that_has_settled_the_rest(world: World) {
    let (fine, failing) = (DestinationId::random(), world.destination(Act::Deliver));
    let mut done = arrived(&world, &[fine, failing]);
    let (other, refused) = (done[0].settlement.id, done[1].settlement.id);
    // So that the two are settled one after the other.
    done[1].settlement.peer_signal = PeerSignal::Bad;
    done[1].settlement.disposition = Disposition::Finished(DeliveryState::Exhausted);
    have_it_refused(&world, &done[1]);
    write(&world, done).await;
    assert_eq!(world.fate(other), Some((DeliveryState::Delivered, 1)));
    assert!(world.owed(refused).is_some_and(|(_, _, leased)| leased));
}

async fn what_the_database_takes_later_is_settled_then(world: World) {
    let (fine, failing) = (DestinationId::random(), world.destination(Act::Deliver));
    let mut done = arrived(&world, &[fine, failing]);
    let (other, refused) = (done[0].settlement.id, done[1].settlement.id);
    done[1].settlement.peer_signal = PeerSignal::Bad;
    done[1].settlement.disposition = Disposition::Finished(DeliveryState::Exhausted);
    have_it_refused(&world, &done[1]);
    let settler = AtWork::start(&world);
    settler.land(done).await;
    assert_eq!(world.fate_of(other).await, (DeliveryState::Delivered, 1));
    have_it_taken(&world, refused);
    assert_eq!(world.fate_of(refused).await, (DeliveryState::Exhausted, 1));
    assert!(world.owed(refused).is_none());
    settler.stop().await;
}

async fn what_the_database_refuses_stops_the_claims_until_the_leases_end(world: World) {
    let destinations: Vec<DestinationId> = (0..3).map(|_| DestinationId::random()).collect();
    let done = arrived(&world, &destinations);
    for done in &done {
        have_it_refused(&world, done);
    }
    let ids: Vec<DeliveryId> = done.iter().map(|l| l.settlement.id).collect();
    let settler = AtWork::start(&world);
    settler.land(done).await;
    until("the claims stop", || settler.is_behind()).await;
    world.advance(60 * SECOND);
    until("the claims go on", || !settler.is_behind()).await;
    settler.stop().await;
    for id in ids {
        assert!(world.owed(id).is_some_and(|(_, _, leased)| leased));
    }
}

async fn one_that_the_database_refuses_does_not_stop_the_claims_and_many_do(world: World) {
    let destinations: Vec<DestinationId> = (0..4).map(|_| DestinationId::random()).collect();
    let mut done = arrived(&world, &destinations);
    for done in &done {
        have_it_refused(&world, done);
    }
    let ids: Vec<DeliveryId> = done.iter().map(|l| l.settlement.id).collect();
    let last = done.split_off(1);
    let settler = AtWork::start(&world);
    settler.land(done).await;
    // Something that is taken shows that the settler is through with the one before.
    let other = arrived(&world, &[DestinationId::random()]);
    let fine = other[0].settlement.id;
    settler.land(other).await;
    assert_eq!(world.fate_of(fine).await, (DeliveryState::Delivered, 1));
    assert!(!settler.is_behind());
    settler.land(last).await;
    until("the claims stop", || settler.is_behind()).await;
    for id in ids {
        have_it_taken(&world, id);
        assert_eq!(world.fate_of(id).await, (DeliveryState::Delivered, 1));
    }
    until("the claims go on", || !settler.is_behind()).await;
    settler.stop().await;
}

both_databases!(
    what_the_database_takes_later_is_settled_then,
    what_the_database_refuses_stops_the_claims_until_the_leases_end,
    one_that_the_database_refuses_does_not_stop_the_claims_and_many_do,
    what_the_database_refuses_spoils_no_other,
    what_the_database_refuses_does_not_stop_a_worker_that_has_settled_the_rest,
);
