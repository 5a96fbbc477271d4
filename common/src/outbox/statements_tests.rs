//! What delivery asks of the database, counted: times depend on the machine, these do not.

use super::*;
use crate::db::{Backend, Db, Statements};
use crate::id::{DeliveryId, DestinationId, EventId};
use crate::test_support::{both_databases, claim_request, write};
use crate::unix_millis::UnixMillis;

const NOW: UnixMillis = UnixMillis::from_millis(1_000_000);

/// Deliveries of one round.
const ROWS: usize = 100;

/// Those that begin and end a transaction.
const AROUND: u64 = 2;

/// Some destinations, with as many deliveries each.
fn add(db: &Db, destinations: &[DestinationId]) {
    let each = ROWS / destinations.len();
    let destinations = destinations.to_vec();
    write(db, move |c| {
        for destination in destinations
            .iter()
            .flat_map(|destination| std::iter::repeat_n(*destination, each))
        {
            insert(
                c,
                &NewDelivery {
                    id: DeliveryId::sequential(),
                    destination,
                    payload: Payload::Webhook(EventId::sequential()),
                    due_at: NOW,
                    insert_instant: NOW,
                },
            )?;
        }
        Ok(())
    });
}

fn claim_all(db: &Db) -> Vec<Claimed> {
    as_worker_tests::claim(db, claim_request(Kind::Webhook, NOW, ROWS))
}

fn delivered(claimed: &Claimed) -> Settlement {
    let record = AttemptRecord {
        instant: NOW,
        duration_millis: 12,
        result: AttemptResult::Success,
        status_code: Some(200),
        class: None,
        message: None,
        response_excerpt: None,
    };
    let disposition = Disposition::Finished(DeliveryState::Delivered);
    Settlement {
        peer_signal: PeerSignal::Good,
        ..Settlement::of(claimed, NOW, Some(record), disposition)
    }
}

fn counted<T>(db: &Db, work: impl FnOnce() -> T) -> (T, Statements) {
    let before = db.statements();
    let done = work();
    (done, db.statements().since(before))
}

/// What a claim and a settlement of a hundred deliveries take, once they have been made before.
fn round(
    db: &Db,
    destinations: usize,
    settle: impl FnOnce(&Db, Vec<Settlement>) -> Settled,
) -> (Statements, Statements) {
    let db = &db.with_generic_plans();
    let destinations: Vec<DestinationId> =
        (0..destinations).map(|_| DestinationId::random()).collect();
    add(db, &destinations);
    let (claimed, claim) = counted(db, || claim_all(db));
    assert_eq!(claimed.len(), ROWS);
    let batch: Vec<Settlement> = claimed.iter().map(delivered).collect();
    let (settled, settle) = counted(db, || settle(db, batch));
    assert_eq!(settled.rows, ROWS);
    (claim, settle)
}

fn a_hundred_deliveries_take_few_statements(db: &Db) {
    round(db, 1, as_worker_tests::settle);
    for destinations in [1, 10] {
        let (claim, settle) = round(db, destinations, as_worker_tests::settle);
        let count = |number| u64::try_from(number).unwrap();
        let (rows, destinations) = (count(ROWS), count(destinations));
        let (most_claim, most_settle) = match db.backend() {
            // The heads, and the rows of all destinations at once. All that is settled.
            Backend::Postgres => (2, 1),
            // A savepoint, and row by row, for a statement there is no round trip. The destinations.
            Backend::Sqlite => (
                2 * AROUND + 1 + destinations + rows,
                2 * AROUND + 1 + 2 * rows,
            ),
        };
        assert!(claim.run <= most_claim, "{claim:?}");
        assert!(settle.run <= most_settle, "{settle:?}");
    }
}

fn what_has_consequences_takes_a_transaction(db: &Db) {
    round(db, 1, as_worker_tests::settle_in_a_transaction);
    let (_, settle) = round(db, 10, as_worker_tests::settle_in_a_transaction);
    let most = match db.backend() {
        // The rows, and the destinations.
        Backend::Postgres => AROUND + 2,
        Backend::Sqlite => 2 * AROUND + 1 + 2 * u64::try_from(ROWS).unwrap(),
    };
    assert!(settle.run <= most, "{settle:?}");
}

fn what_was_prepared_is_used_again(db: &Db) {
    round(db, 1, as_worker_tests::settle);
    let (claim, settle) = round(db, 10, as_worker_tests::settle);
    assert_eq!((claim.kept, settle.kept), (0, 0));
}

both_databases!(
    a_hundred_deliveries_take_few_statements,
    what_has_consequences_takes_a_transaction,
    what_was_prepared_is_used_again,
);
