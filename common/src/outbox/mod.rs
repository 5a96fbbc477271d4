//! The outbox: deliveries still owed. Insert, claim, settle.
//!
//! This is one of the two places (beside [`crate::db`]) where SQL differs between the
//! databases. A row is *pending* until somebody claims it, *leased* until it is
//! settled or the lease lapses, and leaves for the table `deliveries` once it is
//! decided. The lease's token fences: whoever lost a lease cannot settle any more.

#[cfg(test)]
mod as_worker_tests;
mod cancellation;
#[cfg(test)]
mod cancellation_tests;
mod claim;
mod delivery;
mod destination;
#[cfg(test)]
mod destinations_tests;
mod erase;
mod health;
mod insert;
mod order;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod plain_tests;
#[cfg(test)]
mod plans_tests;
mod pre_attempted;
mod prune;
mod replay;
mod resend;
mod settle;
#[cfg(test)]
mod statements_tests;
#[cfg(test)]
mod tests;

pub use cancellation::{cancel, enable, end_of_webhook};
pub use claim::{ClaimRequest, Claimed, Destinations, claim, next_due};
pub use delivery::{Attempt, Decided, Delivery, Owed, Place};
pub use destination::begin_mail_anew;
pub(crate) use erase::{
    Budget, erase_mails_to_addresses, erase_of_user, lock_user, lock_users_of, owed_of_tenant,
};
pub use erase::{EraseError, forget_logs, is_still_owed};
pub use health::{
    CIRCUIT_REST, CIRCUIT_REST_CAP, Circuit, DestinationCounts, DestinationEvent, DestinationState,
    DisabledReason, FAILURES_TO_OPEN, PeerSignal, RETRY_AFTER_CAP, THROTTLE_REST,
    THROTTLE_REST_CAP, destination_counts, destination_state, destination_states,
};
pub(crate) use insert::at_once;
pub use insert::{NewDelivery, Payload, insert, insert_all};
pub use order::{OrderCursor, Stranded, free_stranded, insert_in_order, stranded};
pub use pre_attempted::PreAttempted;
pub use prune::{Cursor, Found, Prunable, look, remove};
pub use replay::{Replay, Replayed};
pub use resend::{Missing, Resent, resend};
pub use settle::{AttemptRecord, Disposition, Settled, Settlement, UnclaimedAttempt, settle_plain};

pub(crate) use settle::{settle, take_note};

pub use crate::id::mail_destination;
pub use crate::kind::Kind;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::SmallInt;

use crate::db::sql_type::{text_enum, wrapped_sql};

/// `outbox.priority` of a delivery that has never been tried.
pub(crate) const PRIORITY_NEW: i16 = 0;

/// `outbox.priority` of a delivery that was tried before, or is made once more.
pub(crate) const PRIORITY_RETRY: i16 = 1;

/// `outbox.priority` of a delivery that waits for a predecessor.
pub(crate) const PRIORITY_BLOCKED: i16 = 2;

/// [`Kind`] as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = SmallInt)]
pub(crate) struct KindCode(i16);

wrapped_sql!(KindCode, SmallInt, i16);

impl std::fmt::Display for KindCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Kind> for KindCode {
    fn from(kind: Kind) -> Self {
        Self(match kind {
            Kind::Webhook => 0,
            Kind::Email => 1,
        })
    }
}

text_enum! {
    /// Where a delivery is that has left the outbox. While its webhook is disabled it
    /// stays there, whatever it is called in the meantime.
    DeliveryState {
        /// The receiver has it.
        Delivered = "Delivered",
        /// All attempts are used.
        Exhausted = "Exhausted",
        /// Its receiver is gone.
        Canceled = "Canceled",
    }
}

text_enum! {
    /// How an attempt went.
    AttemptResult {
        /// The receiver has it.
        Success = "Success",
        /// It has not.
        Failure = "Failure",
        /// Nobody knows: the worker stopped in the middle.
        Unknown = "Unknown",
    }
}
