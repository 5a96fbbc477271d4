//! What can be settled without a transaction: most of what a healthy worker settles.

use std::collections::HashSet;

use super::{Disposition, Settlement, postgres};
use crate::db::{AnyConnection, Backend, Db, DbError};
use crate::id::{DeliveryId, DestinationId, LeaseToken};
use crate::outbox::health::PeerSignal;

/// Settles of a batch what has no consequences, and returns which: what is left is for
/// `settle`, which would settle these too. A delivery has none if it leaves
/// the outbox, keeps an order with nobody, and tells nothing new of its destination. Whether the last
/// two are so, only the database knows: whatever it has to say no to, the same statement
/// leaves alone.
///
/// On PostgreSQL that is one round trip, however many there are. On SQLite it is nothing at
/// all: there is no round trip to save, and everything is one commit.
///
/// # Errors
/// Those of the database. Nothing is settled then.
pub async fn settle_plain(
    db: &Db,
    batch: &[Settlement],
) -> Result<HashSet<(DeliveryId, LeaseToken)>, DbError> {
    let Some(plain) = candidates(db, batch) else {
        return Ok(HashSet::new());
    };
    db.write_autocommit(move |connection| write(connection, &plain))
        .await
}

/// As [`settle_plain`], for callers that may block.
#[cfg(test)]
pub(in crate::outbox) fn settle_plain_blocking(
    db: &Db,
    batch: &[Settlement],
) -> Result<HashSet<(DeliveryId, LeaseToken)>, DbError> {
    let Some(plain) = candidates(db, batch) else {
        return Ok(HashSet::new());
    };
    db.write_autocommit_blocking(move |connection| write(connection, &plain))
}

fn candidates(db: &Db, batch: &[Settlement]) -> Option<Vec<Settlement>> {
    if db.backend() == Backend::Sqlite {
        return None;
    }
    let plain: Vec<Settlement> = plain(batch).cloned().collect();
    (!plain.is_empty()).then_some(plain)
}

fn write(
    connection: &mut AnyConnection,
    plain: &[Settlement],
) -> Result<HashSet<(DeliveryId, LeaseToken)>, DbError> {
    match connection {
        AnyConnection::Pg(connection) => Ok(postgres::settle_plain(connection, plain)?),
        AnyConnection::Sqlite(_) => Ok(HashSet::new()),
    }
}

/// Those that may have no consequences, by what the settler knows. A destination is judged by all
/// that its attempts say, in their order, or by none of them.
fn plain(batch: &[Settlement]) -> impl Iterator<Item = &Settlement> {
    let eventful = batch.iter().filter(|settlement| says_more(settlement));
    let eventful: HashSet<DestinationId> =
        eventful.map(|settlement| settlement.destination).collect();
    batch.iter().filter(move |settlement| {
        matches!(settlement.disposition, Disposition::Finished(_))
            && !eventful.contains(&settlement.destination)
    })
}

/// Whether it says more of its destination than that it does well.
fn says_more(settlement: &Settlement) -> bool {
    match settlement.peer_signal {
        PeerSignal::Good | PeerSignal::Silent => settlement.probe.is_some(),
        PeerSignal::Bad | PeerSignal::Overloaded(_) | PeerSignal::Gone => true,
    }
}
