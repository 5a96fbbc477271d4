//! The health of destinations: how webhooks and tenants' mail fare, known to all workers.
//!
//! What follows from an attempt is decided in [`state`], how many requests a second a
//! destination gets in [`rate`]; rows are read and written in [`store`], and counted in [`counts`]. Claims and settlements are next door.

mod counts;
mod rate;
mod state;
#[cfg(test)]
mod state_tests;
mod store;

pub use counts::{DestinationCounts, destination_counts};
pub(super) use rate::Rate;
pub(super) use state::{Admission, AttemptSignal};
pub use state::{
    CIRCUIT_REST, CIRCUIT_REST_CAP, Circuit, DestinationEvent, DestinationState, DisabledReason,
    FAILURES_TO_OPEN, PeerSignal, RETRY_AFTER_CAP, THROTTLE_REST, THROTTLE_REST_CAP,
};
pub(super) use store::{States, lock, try_lock};
pub use store::{destination_state, destination_states};
