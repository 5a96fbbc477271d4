//! Deliveries that begin with an attempt already made: those of webhooks that were asked
//! before an action happened.

use std::time::Duration;

use diesel::prelude::*;

use super::{AttemptRecord, DeliveryState, Kind, KindCode, PRIORITY_RETRY};
use crate::db::AnyConnection;
use crate::id::{DeliveryId, DestinationId, EventId};
use crate::schema::{attempts, deliveries, outbox};
use crate::unix_millis::UnixMillis;

/// The number of the attempt that was made.
const FIRST: i32 = 1;

/// An event for a webhook.
#[derive(Debug, Clone, Copy)]
pub struct PreAttempted {
    /// Primary key.
    pub id: DeliveryId,
    /// The destination of the webhook that is to have it.
    pub destination: DestinationId,
    /// What is delivered.
    pub event: EventId,
    /// When it came to be owed.
    pub insert_instant: UnixMillis,
}

impl PreAttempted {
    /// Adds it to the outbox, to be tried again, with the attempt that has failed.
    pub fn retry(
        &self,
        connection: &mut AnyConnection,
        failed: &AttemptRecord,
        at: UnixMillis,
    ) -> QueryResult<()> {
        self.owe(connection, failed, at, 0)
    }

    /// The same for one whose webhook was disabled with that attempt: once it is enabled, the
    /// schedule begins anew.
    pub fn hold(&self, connection: &mut AnyConnection, failed: &AttemptRecord) -> QueryResult<()> {
        self.owe(connection, failed, end(failed), FIRST)
    }

    fn owe(
        &self,
        connection: &mut AnyConnection,
        failed: &AttemptRecord,
        at: UnixMillis,
        base_attempt: i32,
    ) -> QueryResult<()> {
        diesel::insert_into(outbox::table)
            .values((
                outbox::id.eq(self.id),
                outbox::kind.eq(KindCode::from(Kind::Webhook)),
                outbox::destination.eq(self.destination),
                outbox::event_id.eq(Some(self.event)),
                outbox::attempt.eq(FIRST),
                outbox::base_attempt.eq(base_attempt),
                outbox::priority.eq(PRIORITY_RETRY),
                outbox::due_at.eq(at),
                outbox::insert_instant.eq(self.insert_instant),
            ))
            .execute(connection)?;
        diesel::insert_into(attempts::table)
            .values((
                attempts::delivery_id.eq(self.id),
                attempts::number.eq(FIRST),
                attempts::instant.eq(failed.instant),
                attempts::duration_millis.eq(failed.duration_millis),
                attempts::result.eq(failed.result),
                attempts::status_code.eq(failed.status_code),
                attempts::class.eq(&failed.class),
                attempts::message.eq(&failed.message),
                attempts::response_excerpt.eq(&failed.response_excerpt),
            ))
            .execute(connection)?;
        Ok(())
    }

    /// Adds it as one that needs no outbox: its only attempt has decided it, or it was given
    /// up without one.
    pub fn finish(
        &self,
        connection: &mut AnyConnection,
        attempt: Option<&AttemptRecord>,
        state: DeliveryState,
    ) -> QueryResult<()> {
        diesel::insert_into(deliveries::table)
            .values((
                deliveries::id.eq(self.id),
                deliveries::kind.eq(KindCode::from(Kind::Webhook)),
                deliveries::destination.eq(self.destination),
                deliveries::event_id.eq(Some(self.event)),
                deliveries::state.eq(state),
                deliveries::attempt.eq(attempt.map_or(0, |_| FIRST)),
                deliveries::insert_instant.eq(self.insert_instant),
                deliveries::settle_instant.eq(attempt.map_or(self.insert_instant, end)),
                deliveries::attempt_instant.eq(attempt.map(|a| a.instant)),
                deliveries::duration_millis.eq(attempt.map(|a| a.duration_millis)),
                deliveries::result.eq(attempt.map(|a| a.result)),
                deliveries::status_code.eq(attempt.and_then(|a| a.status_code)),
                deliveries::class.eq(attempt.and_then(|a| a.class.as_deref())),
                deliveries::message.eq(attempt.and_then(|a| a.message.as_deref())),
                deliveries::response_excerpt
                    .eq(attempt.and_then(|a| a.response_excerpt.as_deref())),
            ))
            .execute(connection)?;
        Ok(())
    }
}

fn end(attempt: &AttemptRecord) -> UnixMillis {
    let millis = u64::try_from(attempt.duration_millis).unwrap_or_default();
    attempt.instant.plus(Duration::from_millis(millis))
}
