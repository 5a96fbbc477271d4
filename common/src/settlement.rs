//! What workers settle: the outbox and the states of destinations follow, and people are told
//! of webhooks that are disabled with it.

use std::time::Duration;

use diesel::QueryResult;

use crate::db::AnyConnection;
use crate::id::DestinationId;
use crate::mail::{Setup, tell_of_disabled};
use crate::outbox::{self, DestinationEvent, Settled, Settlement, UnclaimedAttempt};

/// What a settler has to know to decide about destinations.
#[derive(Debug, Clone)]
pub struct DestinationPolicy {
    /// A destination with nothing but failures for this long is disabled; none: never.
    pub disable_after: Option<Duration>,
    /// Who mails about it come from.
    pub mail: Setup,
}

/// Settles a batch, in the order in which the attempts ended. Call it in a write
/// transaction.
pub fn settle(
    connection: &mut AnyConnection,
    batch: &[Settlement],
    policy: &DestinationPolicy,
) -> QueryResult<Settled> {
    let settled = outbox::settle(connection, batch, policy.disable_after)?;
    if let Some(now) = batch.iter().map(|settlement| settlement.now).max() {
        tell_of_disabled(connection, &settled.happenings, &policy.mail, now)?;
    }
    Ok(settled)
}

/// Brings the states of webhooks up to date after attempts that nobody had claimed. Call it in
/// a write transaction of its own: locks are taken in no order with those of others.
pub fn take_note(
    connection: &mut AnyConnection,
    attempts: &[UnclaimedAttempt],
    policy: &DestinationPolicy,
) -> QueryResult<Vec<(DestinationId, DestinationEvent)>> {
    let events = outbox::take_note(connection, attempts, policy.disable_after)?;
    if let Some(now) = attempts.iter().map(|attempt| attempt.ended).max() {
        tell_of_disabled(connection, &events, &policy.mail, now)?;
    }
    Ok(events)
}
