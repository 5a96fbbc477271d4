//! Slots: how much is in flight, in all and in each lane.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beadle_common::id::LaneId;
use tokio::sync::Notify;

/// Counts what is in flight.
#[derive(Debug)]
pub(super) struct Slots {
    total: usize,
    per_lane: usize,
    used: Mutex<Used>,
    /// Somebody waits for room.
    wanted: AtomicBool,
    room: Notify,
}

#[derive(Debug, Default)]
struct Used {
    total: usize,
    lanes: HashMap<LaneId, usize>,
}

/// One delivery in flight. Dropping it makes room.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    lane: LaneId,
}

impl Slots {
    pub(super) fn new(total: usize, per_lane: usize) -> Self {
        Self {
            total: total.max(1),
            per_lane: per_lane.max(1),
            used: Mutex::default(),
            wanted: AtomicBool::new(false),
            room: Notify::new(),
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // The counts are right after every statement, so a panic leaves no harm.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn free(&self) -> usize {
        self.total.saturating_sub(self.used().total)
    }

    /// How many rows of one lane to claim at once, and the lanes that have no room for
    /// so many. Half of a lane's slots: the other half is busy while they are fetched.
    pub(super) fn saturated(&self) -> (Vec<LaneId>, usize) {
        let batch = (self.per_lane / 2).max(1);
        let full = |(lane, used): (&LaneId, &usize)| {
            (used.saturating_add(batch) > self.per_lane).then_some(*lane)
        };
        let skip = self.used().lanes.iter().filter_map(full).collect();
        (skip, batch)
    }

    pub(super) fn take(self: &Arc<Self>, lane: LaneId) -> Slot {
        let mut used = self.used();
        used.total += 1;
        *used.lanes.entry(lane).or_default() += 1;
        Slot {
            slots: Arc::clone(self),
            lane,
        }
    }

    /// Asks that [`Slots::room`] be told when claiming is worth while again.
    pub(super) fn want_room(&self) {
        self.wanted.store(true, Ordering::SeqCst);
    }

    /// A future that completes when there is room again, if anybody wanted some.
    pub(super) fn room(&self) -> impl Future<Output = ()> + '_ {
        let mut waiting = Box::pin(self.room.notified());
        waiting.as_mut().enable();
        waiting
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.slots.used();
        used.total = used.total.saturating_sub(1);
        let total = used.total;
        let lane = used.lanes.get_mut(&self.lane).map_or(0, |count| {
            *count = count.saturating_sub(1);
            *count
        });
        if lane == 0 {
            used.lanes.remove(&self.lane);
        }
        drop(used);
        // Not at every landing: half a batch at a time is worth a round trip.
        let low = lane <= self.slots.per_lane / 2 || total <= self.slots.total / 2;
        if low && self.slots.wanted.swap(false, Ordering::SeqCst) {
            self.slots.room.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_lane_is_skipped_until_half_of_it_has_landed() {
        let slots = Arc::new(Slots::new(100, 4));
        let lane = LaneId::random();
        let mut flying: Vec<Slot> = (0..4).map(|_| slots.take(lane)).collect();
        assert_eq!(slots.saturated(), (vec![lane], 2));
        flying.pop();
        assert_eq!(slots.saturated().0, vec![lane]);
        flying.pop();
        assert!(slots.saturated().0.is_empty());
        drop(flying);
        assert_eq!(slots.free(), 100);
    }

    #[test]
    fn a_lane_of_one_is_served_one_at_a_time() {
        let slots = Arc::new(Slots::new(100, 1));
        let lane = LaneId::random();
        let only = slots.take(lane);
        assert_eq!(slots.saturated(), (vec![lane], 1));
        drop(only);
        assert_eq!(slots.saturated(), (vec![], 1));
    }

    #[tokio::test]
    async fn whoever_wants_room_is_told() {
        let slots = Arc::new(Slots::new(2, 2));
        let lane = LaneId::random();
        let flying: Vec<Slot> = (0..2).map(|_| slots.take(lane)).collect();
        let room = slots.room();
        slots.want_room();
        drop(flying);
        room.await;
    }
}
