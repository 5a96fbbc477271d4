//! Settling, apart from how deliveries come to be settled.

use beadle_common::outbox::{ClaimRequest, Destinations, PeerSignal, Settlement, Verdict, claim};

use super::*;
use crate::attempt::record;
use crate::drain::flight::Landing;
use crate::drain::settler::{Ledger, Settler};

/// Claimed deliveries that have arrived, one of each destination.
fn arrived(world: &World, destinations: &[DestinationId]) -> Vec<Landing> {
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
    let landing = |claimed: &Claimed| Landing {
        settlement: Settlement {
            id: claimed.id,
            destination: claimed.destination,
            token: claimed.token,
            attempt: claimed.attempt,
            record: Some(record(NOW, &delivered())),
            verdict: Verdict::Finished(DeliveryState::Delivered),
            peer_signal: PeerSignal::Good,
            probe: None,
            now: NOW,
        },
        lease_end: NOW.plus(60 * SECOND),
        _kept: None,
    };
    let mut landings: Vec<Landing> = claimed.iter().map(landing).collect();
    landings.sort_unstable_by_key(|landing| {
        destinations
            .iter()
            .position(|destination| *destination == landing.settlement.destination)
    });
    landings
}

/// As if it had been delivered before: the database takes no second one.
fn have_it_refused(world: &World, landing: &Landing) {
    let (id, destination) = (landing.settlement.id, landing.settlement.destination);
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
async fn write(world: &World, landings: Vec<Landing>) {
    let (settler, _ledger) = Settler::new(Kind::Webhook, &world.surroundings());
    let written = tokio::time::timeout(30 * SECOND, settler.write(landings));
    written.await.unwrap();
}

/// As if it never had been.
fn have_it_taken(world: &World, id: DeliveryId) {
    world.write(move |c| diesel::delete(deliveries::table.find(id)).execute(c));
}

/// A settler at work.
struct AtWork {
    ledger: Ledger,
    task: JoinHandle<()>,
}

impl AtWork {
    fn start(world: &World) -> Self {
        let (settler, ledger) = Settler::new(Kind::Webhook, &world.surroundings());
        let task = tokio::spawn(settler.run());
        Self { ledger, task }
    }

    async fn land(&self, landings: Vec<Landing>) {
        for landing in landings {
            assert!(self.ledger.landings.send(landing).await.is_ok());
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
    let landings = arrived(&world, &[DestinationId::random(), DestinationId::random()]);
    let (refused, other) = (landings[0].settlement.id, landings[1].settlement.id);
    have_it_refused(&world, &landings[0]);
    write(&world, landings).await;
    assert_eq!(world.fate(other), Some((DeliveryState::Delivered, 1)));
    assert!(world.owed(refused).is_some_and(|(_, _, leased)| leased));
}

async fn what_the_database_refuses_does_not_stop_a_worker_that_has_settled_the_rest(world: World) {
    let (fine, failing) = (DestinationId::random(), world.destination(Act::Deliver));
    let mut landings = arrived(&world, &[fine, failing]);
    let (other, refused) = (landings[0].settlement.id, landings[1].settlement.id);
    // So that the two are settled one after the other.
    landings[1].settlement.peer_signal = PeerSignal::Bad;
    landings[1].settlement.verdict = Verdict::Finished(DeliveryState::Exhausted);
    have_it_refused(&world, &landings[1]);
    write(&world, landings).await;
    assert_eq!(world.fate(other), Some((DeliveryState::Delivered, 1)));
    assert!(world.owed(refused).is_some_and(|(_, _, leased)| leased));
}

async fn what_the_database_takes_later_is_settled_then(world: World) {
    let (fine, failing) = (DestinationId::random(), world.destination(Act::Deliver));
    let mut landings = arrived(&world, &[fine, failing]);
    let (other, refused) = (landings[0].settlement.id, landings[1].settlement.id);
    landings[1].settlement.peer_signal = PeerSignal::Bad;
    landings[1].settlement.verdict = Verdict::Finished(DeliveryState::Exhausted);
    have_it_refused(&world, &landings[1]);
    let settler = AtWork::start(&world);
    settler.land(landings).await;
    assert_eq!(world.fate_of(other).await, (DeliveryState::Delivered, 1));
    have_it_taken(&world, refused);
    assert_eq!(world.fate_of(refused).await, (DeliveryState::Exhausted, 1));
    assert!(world.owed(refused).is_none());
    settler.stop().await;
}

async fn what_the_database_refuses_stops_the_claims_until_the_leases_end(world: World) {
    let destinations: Vec<DestinationId> = (0..3).map(|_| DestinationId::random()).collect();
    let landings = arrived(&world, &destinations);
    for landing in &landings {
        have_it_refused(&world, landing);
    }
    let ids: Vec<DeliveryId> = landings.iter().map(|l| l.settlement.id).collect();
    let settler = AtWork::start(&world);
    settler.land(landings).await;
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
    let mut landings = arrived(&world, &destinations);
    for landing in &landings {
        have_it_refused(&world, landing);
    }
    let ids: Vec<DeliveryId> = landings.iter().map(|l| l.settlement.id).collect();
    let last = landings.split_off(1);
    let settler = AtWork::start(&world);
    settler.land(landings).await;
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
