//! Logs what became of a destination, in the process whose attempt brought it about.

use beadle_common::id::DestinationId;
use beadle_common::outbox::{DestinationEvent, DisabledReason};

pub(crate) fn log(destination: DestinationId, happening: DestinationEvent) {
    match happening {
        DestinationEvent::Disabled(DisabledReason::Gone) => tracing::error!(
            %destination,
            "the webhook was disabled: it answered 410, which means that it is gone for good"
        ),
        DestinationEvent::Disabled(DisabledReason::Failing) => tracing::error!(
            %destination,
            "the webhook was disabled: nothing but failures for BEADLE_DISABLE_AFTER"
        ),
        DestinationEvent::CircuitOpened(until) => tracing::warn!(
            %destination,
            until = until.millis(),
            "nothing but failures: the destination rests, and is then tried with one delivery at a time"
        ),
        DestinationEvent::CircuitClosed => {
            tracing::info!(%destination, "the destination works again")
        }
    }
}
