//! What slots tell and are told.

use beadle_common::id::LaneId;

use super::slots::Slot;

/// How the last flight of a lane went.
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
    /// Rows of one lane.
    pub(super) per_lane: usize,
    /// Suspect lanes that may get some.
    pub(super) suspects: Vec<LaneId>,
    /// Rows of those, in all.
    pub(super) suspect_rows: usize,
    /// Lanes that get nothing now.
    pub(super) closed: Vec<LaneId>,
    /// Lanes that may get so many, beside what all get.
    pub(super) ahead: Vec<(LaneId, usize)>,
}

impl Room {
    /// Nothing can be claimed at all.
    pub(super) fn is_none(&self) -> bool {
        self.rows == 0 && self.ahead.is_empty()
    }

    /// How many rows of this lane can be claimed.
    pub(super) fn of(&self, lane: LaneId) -> usize {
        if self.closed.contains(&lane) {
            return 0;
        }
        let ahead = self.ahead.iter().find(|(ahead, _)| *ahead == lane);
        ahead.map_or(self.per_lane.min(self.rows), |(_, rows)| *rows)
    }
}

/// What becomes of what was claimed.
pub(super) enum Place<W> {
    /// It leaves now.
    Now(Slot<W>, W),
    /// It leaves when something lands.
    Waits,
    /// Its lane does badly, or the worker stops: it must not leave at all.
    Refused(W),
}
