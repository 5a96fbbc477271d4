//! What lanes have been through, in the log of the process that brought it about.

use beadle_common::id::LaneId;
use beadle_common::outbox::{DisabledReason, Happening};

pub(crate) fn tell(lane: LaneId, happening: Happening) {
    match happening {
        Happening::Disabled(DisabledReason::Gone) => tracing::error!(
            %lane,
            "the webhook was disabled: it answered 410, which means that it is gone for good"
        ),
        Happening::Disabled(DisabledReason::Failing) => tracing::error!(
            %lane,
            "the webhook was disabled: nothing but failures for BEADLE_DISABLE_AFTER"
        ),
        Happening::CircuitOpened(until) => tracing::warn!(
            %lane,
            until = until.millis(),
            "nothing but failures: the lane rests, and is then tried with one delivery at a time"
        ),
        Happening::CircuitClosed => tracing::info!(%lane, "the lane works again"),
    }
}
