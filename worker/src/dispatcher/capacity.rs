//! What the limiter is told about attempts, and what it says may be claimed.

use beadle_common::id::DestinationId;

/// How the last attempt at a destination went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// The peer does its part.
    Good,
    /// It does not.
    Bad,
    /// It asks to be left alone.
    Shut,
}

/// How much may be claimed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Capacity {
    /// Rows in all.
    pub(super) rows: usize,
    /// Rows of one destination.
    pub(super) per_destination: usize,
    /// Suspect destinations that may get some.
    pub(super) suspects: Vec<DestinationId>,
    /// Rows of those, in all.
    pub(super) suspect_rows: usize,
    /// Destinations that get nothing now.
    pub(super) closed: Vec<DestinationId>,
    /// Destinations that may get so many, beside what all get.
    pub(super) ahead: Vec<(DestinationId, usize)>,
}

impl Capacity {
    /// Nothing can be claimed at all.
    pub(super) fn is_none(&self) -> bool {
        self.rows == 0 && self.ahead.is_empty()
    }

    /// How many rows of this destination can be claimed.
    pub(super) fn of(&self, destination: DestinationId) -> usize {
        if self.closed.contains(&destination) {
            return 0;
        }
        let ahead = self.ahead.iter().find(|(ahead, _)| *ahead == destination);
        ahead.map_or(self.per_destination.min(self.rows), |(_, rows)| *rows)
    }
}
