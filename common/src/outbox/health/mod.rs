//! The health of destinations: how webhooks and tenants' mail fare, known to all workers.
//!
//! What follows from an attempt is decided in [`state`], how many requests a second a
//! destination gets in [`rate`]; rows are read and written in [`store`], and counted in [`census`]. What its owner is told
//! is in [`notice`]. Claims and settlements are next door.

mod census;
mod notice;
mod rate;
mod state;
#[cfg(test)]
mod state_tests;
mod store;

pub use census::{DestinationCensus, destination_census};
pub(super) use notice::tell;
pub(super) use rate::Rate;
pub use state::{
    CIRCUIT_REST, CIRCUIT_REST_CAP, Circuit, DestinationState, DisabledReason, FAILURES_TO_OPEN,
    Happening, Judgement, RETRY_AFTER_CAP, THROTTLE_REST, THROTTLE_REST_CAP,
};
pub(super) use state::{Gate, Report};
pub(super) use store::{States, lock, try_lock};
pub use store::{destination_state, destination_states};
