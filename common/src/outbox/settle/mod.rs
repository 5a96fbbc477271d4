//! Settle: record how attempts went, and move or remove their outbox rows.
//!
//! What leaves the outbox and changes nothing else goes first, on PostgreSQL in one statement
//! that needs no transaction around it ([`settle_plain`]). The rest of a batch takes one
//! transaction, with one statement for each kind of disposition, in which the destinations' states
//! follow ([`destinations`]). Only rows whose lease token is still the settler's are touched.

mod destinations;
mod plain;
mod postgres;
mod sqlite;

use std::time::Duration;

use diesel::QueryResult;

use super::health::{DestinationEvent, PeerSignal};
use super::order::{self, Queue};
use super::{AttemptResult, Claimed, DeliveryState};
use crate::db::AnyConnection;
use crate::id::{DeliveryId, DestinationId, LeaseToken};
use crate::unix_millis::UnixMillis;

pub use destinations::UnclaimedAttempt;
pub(crate) use destinations::take_note;
pub use plain::settle_plain;
#[cfg(test)]
pub(super) use plain::settle_plain_blocking;
#[cfg(test)]
pub(super) use postgres::{
    FINISH_PLAIN_POSTGRES, FINISH_POSTGRES, HAND_BACK_POSTGRES, RETRY_POSTGRES,
};

/// How one attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// When it began.
    pub instant: UnixMillis,
    /// How long it took, in milliseconds.
    pub duration_millis: i32,
    /// How it went.
    pub result: AttemptResult,
    /// HTTP or SMTP status, if there was an answer.
    pub status_code: Option<i32>,
    /// `dns connect tls timeout http blocked body smtp render unknown`
    pub class: Option<String>,
    /// For operators.
    pub message: Option<String>,
    /// The beginning of the answer.
    pub response_excerpt: Option<String>,
}

/// What becomes of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It leaves the outbox.
    Finished(DeliveryState),
    /// It is tried again.
    Retry {
        /// Not before.
        at: UnixMillis,
    },
    /// Its webhook is disabled with it. It waits, and the schedule begins anew.
    Hold,
    /// It was not sent after all: it is pending as if it had not been claimed.
    Release {
        /// Not before.
        at: UnixMillis,
    },
}

/// The end of one lease.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Which delivery.
    pub id: DeliveryId,
    /// Its destination.
    pub destination: DestinationId,
    /// The right to settle it.
    pub token: LeaseToken,
    /// The number of the attempt.
    pub attempt: i32,
    /// How the attempt went; none if none was made.
    pub record: Option<AttemptRecord>,
    /// What becomes of the delivery.
    pub disposition: Disposition,
    /// What it says about the destination.
    pub peer_signal: PeerSignal,
    /// It was the one that the destination was tried with: the end of its lease.
    pub probe: Option<UnixMillis>,
    /// When it is settled.
    pub now: UnixMillis,
}

impl Settlement {
    /// The end of a lease that says nothing about the destination.
    #[must_use]
    pub fn of(
        claimed: &Claimed,
        now: UnixMillis,
        record: Option<AttemptRecord>,
        disposition: Disposition,
    ) -> Self {
        Self {
            id: claimed.id,
            destination: claimed.destination,
            token: claimed.token,
            attempt: claimed.attempt,
            record,
            disposition,
            peer_signal: PeerSignal::Silent,
            probe: claimed.probe,
            now,
        }
    }
}

/// What came of settling a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many were still the settler's.
    pub rows: usize,
    /// How many that were parked behind those are due now.
    pub freed: usize,
    /// What destinations have been through.
    pub happenings: Vec<(DestinationId, DestinationEvent)>,
}

/// Settles a batch, in the order in which the attempts ended. A destination with nothing but
/// failures for `disable_after` is disabled; none: never. Call it in a write transaction.
pub(crate) fn settle(
    connection: &mut AnyConnection,
    batch: &[Settlement],
    disable_after: Option<Duration>,
) -> QueryResult<Settled> {
    let written = match connection {
        AnyConnection::Pg(connection) => postgres::settle(connection, batch)?,
        AnyConnection::Sqlite(connection) => sqlite::settle(connection, batch)?,
    };
    // Before the destinations are locked: users always come first.
    let freed = match batch.iter().map(|settlement| settlement.now).max() {
        Some(now) => order::free_next(connection, written.queues, now)?,
        None => 0,
    };
    let happenings = destinations::apply_signals(connection, batch, disable_after)?;
    Ok(Settled {
        rows: written.rows,
        freed,
        happenings,
    })
}

/// What became of the outbox.
#[derive(Debug, Default)]
struct Written {
    /// How many were still the settler's.
    rows: usize,
    /// The queues that something was taken out of.
    queues: Vec<Queue>,
}

/// The claim counted an attempt; without a record none was made.
fn attempts_made(settlement: &Settlement) -> i32 {
    match settlement.record {
        Some(_) => settlement.attempt,
        None => settlement.attempt - 1,
    }
}
