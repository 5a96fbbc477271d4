//! What slots tell and are told.

use beadle_common::id::DestinationId;

use super::slots::Slot;

/// How the last flight of a destination went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// The peer does its part.
    Good,
    /// It does not.
    Bad,
    /// It asks to be left alone.
    Shut,
}

/// What there is room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room {
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

impl Room {
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

/// What becomes of what was claimed.
pub(super) enum Place<W> {
    /// It leaves now.
    Now(Slot<W>, W),
    /// It leaves when something lands.
    Waits,
    /// Its destination does badly, or the worker stops: it must not leave at all.
    Refused(W),
}
