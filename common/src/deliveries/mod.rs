//! Deliveries for those who ask: where one is, why, and what happens next. Nothing is
//! written for it: it is read from the tables that the delivery itself works with.
//!
//! [`Details`] adds to a [`Delivery`](crate::outbox::Delivery) everything that tells why it is
//! where it is; [`webhook_log`] tells of events, and of attempts to deliver them. Deliveries are
//! moved in [`crate::outbox`].

mod details;
mod search;
#[cfg(test)]
mod tests;
pub mod webhook_log;

pub use details::{Details, MailDetails, Receiver};
pub use search::{DeliverySearch, MOST_FOUND};

use crate::db::sql_type::text_enum;
use crate::outbox::DeliveryState;

text_enum! {
    /// Where a delivery stands, as people see it.
    DeliveryStatus {
        /// It is to be tried, now or later.
        Pending = "Pending",
        /// A worker is trying it.
        Leased = "Leased",
        /// The receiver has it.
        Delivered = "Delivered",
        /// It was given up.
        Exhausted = "Exhausted",
        /// It waits for its webhook to be enabled.
        Held = "Held",
        /// There is nobody or nothing left to deliver.
        Canceled = "Canceled",
    }
}

impl From<DeliveryState> for DeliveryStatus {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Exhausted => Self::Exhausted,
            DeliveryState::Canceled => Self::Canceled,
        }
    }
}
