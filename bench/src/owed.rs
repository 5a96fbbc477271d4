//! Deliveries that are owed to one webhook, claimed and settled as a worker would that
//! delivers all of them at the first attempt.

use std::time::Duration;

use beadle_common::db::{
    AnyConnection, Db, DbError, DbOptions, IfMissing, QueryResult, SqliteSynchronous,
};
use beadle_common::id::{DestinationId, EventId};
use beadle_common::mail::Setup;
use beadle_common::model::email::Mailbox;
use beadle_common::outbox::{
    AttemptRecord, AttemptResult, ClaimRequest, Claimed, DeliveryState, Destinations, Disposition,
    Kind, NewDelivery, Payload, PeerSignal, Settlement, claim, insert, settle_plain,
};
use beadle_common::settlement::{DestinationPolicy, settle};
use beadle_common::unix_millis::UnixMillis;

/// Deliveries that are added, claimed and settled together.
pub const ROWS: usize = 10;

/// When everything happens, unless it has to fit what really happened.
pub const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

const LEASE: Duration = Duration::from_secs(60);

/// Opens a database without Beadle around it, with so many connections.
///
/// # Errors
/// The URL is none, or there is no database behind it.
pub fn open(url: &str, connections: u32, synchronous: SqliteSynchronous) -> anyhow::Result<Db> {
    let db = Db::open(&DbOptions {
        url: url.parse()?,
        connections,
        synchronous,
        if_missing: IfMissing::Create,
    })?;
    Ok(db.with_generic_plans())
}

/// Writes in one transaction.
///
/// # Errors
/// Those of the database.
pub fn write<T: Send + 'static>(
    db: &Db,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
) -> Result<T, DbError> {
    db.write_blocking(move |connection| Ok::<_, DbError>(work(connection)?))
}

/// Adds [`ROWS`] deliveries that are due.
///
/// # Errors
/// Those of the database.
pub fn add(
    connection: &mut AnyConnection,
    destination: DestinationId,
    now: UnixMillis,
) -> QueryResult<()> {
    for _ in 0..ROWS {
        let payload = Payload::Webhook(EventId::sequential());
        insert(connection, &NewDelivery::at_once(destination, payload, now))?;
    }
    Ok(())
}

/// Asks for [`ROWS`] deliveries of each destination but these, which have all that they may have
/// in flight.
#[must_use]
pub fn request(closed: Vec<DestinationId>, now: UnixMillis) -> ClaimRequest {
    ClaimRequest {
        kind: Kind::Webhook,
        now,
        lease_end: now.plus(LEASE),
        owner: "bench".to_owned(),
        limit: 100,
        per_destination: ROWS,
        destinations: Destinations {
            closed,
            ..Destinations::default()
        },
    }
}

/// Claims as a worker does.
///
/// # Errors
/// Those of the database.
pub fn claim_all(db: &Db, request: ClaimRequest) -> Result<Vec<Claimed>, DbError> {
    db.write_autocommit_blocking(move |connection| Ok(claim(connection, &request)?))
}

/// Settles as a worker does: most of it, or all, without a transaction.
///
/// # Errors
/// Those of the database.
pub async fn settle_all(
    db: &Db,
    mut batch: Vec<Settlement>,
    policy: &DestinationPolicy,
) -> Result<(), DbError> {
    let plain = settle_plain(db, &batch).await?;
    batch.retain(|settlement| !plain.contains(&(settlement.id, settlement.token)));
    if !batch.is_empty() {
        let policy = policy.clone();
        let settle = move |connection: &mut AnyConnection| Ok(settle(connection, &batch, &policy)?);
        db.write::<_, DbError, _>(settle).await?;
    }
    Ok(())
}

/// All of them were delivered.
#[must_use]
pub fn delivered(claimed: &[Claimed], now: UnixMillis) -> Vec<Settlement> {
    let record = AttemptRecord {
        instant: now,
        duration_millis: 1,
        result: AttemptResult::Success,
        status_code: Some(200),
        class: None,
        message: None,
        response_excerpt: None,
    };
    let disposition = Disposition::Finished(DeliveryState::Delivered);
    let settlement = |claimed| Settlement {
        peer_signal: PeerSignal::Good,
        ..Settlement::of(claimed, now, Some(record.clone()), disposition)
    };
    claimed.iter().map(settlement).collect()
}

/// No destination is given up.
#[must_use]
pub fn policy() -> DestinationPolicy {
    DestinationPolicy {
        disable_after: None,
        mail: Setup {
            mail_from: Mailbox {
                address: "bench@localhost".to_owned(),
                display: None,
            },
            base_url: None,
        },
    }
}
