//! What must hold, whatever happens. Stated anew here, from what receivers see and the
//! database says: nothing is asked of the code that decides.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use beadle_common::db::AnyConnection;
use beadle_common::deliveries::webhook_log::{EventResult, WebhookEventLog};
use beadle_common::id::{DeliveryId, DestinationId, EventId, LeaseToken, UserId};
use beadle_common::outbox::{
    AttemptResult, Circuit, Claimed, DeliveryState, DestinationState, PeerSignal, Settlement,
};
use beadle_common::unix_millis::UnixMillis;
use diesel::QueryResult;
use uuid::Uuid;

use super::receivers::Sighting;
use super::snapshot::Snapshot;

/// Seconds before each attempt.
const SCHEDULE: [u64; 10] = [
    0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
];

const DAY: Duration = Duration::from_secs(86_400);

/// Waits in a row that may come to nothing.
const FRUITLESS: u32 = 100;

type Seen = BTreeMap<(DeliveryId, i32), Vec<Sighting>>;

#[derive(Debug)]
struct Lease {
    token: LeaseToken,
    end: UnixMillis,
}

/// What has been observed so far, by the clock of the workers.
#[derive(Debug, Default)]
pub(super) struct Checks {
    leases: BTreeMap<DeliveryId, Lease>,
    /// Attempts whose lease lapsed.
    lapsed: BTreeSet<(DeliveryId, i32)>,
    /// Attempts that were cut off.
    cut: BTreeSet<(DeliveryId, i32)>,
    /// Destinations that asked to be left alone.
    quiet: BTreeMap<DestinationId, UnixMillis>,
    gone: BTreeSet<DestinationId>,
    /// What destinations were tried with last, until their circuit is closed.
    probes: BTreeMap<DestinationId, (DeliveryId, LeaseToken)>,
    /// When a failed attempt ended.
    ended: BTreeMap<(DeliveryId, i32), UnixMillis>,
    limits: BTreeMap<DestinationId, i64>,
    /// Claims of destinations with a limit, since the clock last jumped.
    requests: BTreeMap<DestinationId, Vec<UnixMillis>>,
    /// What ordered destinations are to get on account of a user, in its order.
    queues: BTreeMap<(DestinationId, UserId), Vec<DeliveryId>>,
    /// What was asked for by hand: it stands outside the order.
    resent: BTreeSet<DeliveryId>,
    fruitless: u32,
}

impl Checks {
    pub(super) fn limit(&mut self, destination: DestinationId, per_second: i64) {
        self.limits.insert(destination, per_second);
    }

    pub(super) fn queued(&mut self, destination: DestinationId, user: UserId, id: DeliveryId) {
        self.queues.entry((destination, user)).or_default().push(id);
    }

    pub(super) fn resent(&mut self, id: DeliveryId) {
        self.resent.insert(id);
    }

    /// What comes before it has been decided.
    fn check_order(&self, id: DeliveryId, before: &Snapshot) {
        if self.resent.contains(&id) {
            return;
        }
        let of_id = |queue: &&Vec<DeliveryId>| queue.contains(&id);
        let queue = self.queues.values().find(of_id).into_iter().flatten();
        for earlier in queue.take_while(|earlier| **earlier != id) {
            let waits = before.owed.contains_key(earlier) && !self.resent.contains(earlier);
            assert!(!waits, "{id} overtook {earlier}");
        }
    }

    pub(super) fn claimed(
        &mut self,
        claimed: &[(u32, Claimed)],
        before: &Snapshot,
        now: UnixMillis,
        lease: Duration,
    ) {
        let mut of_destination = BTreeMap::<DestinationId, usize>::new();
        for (_, claimed) in claimed {
            self.fruitless = 0;
            self.taken(claimed, before, now, now.plus(lease));
            *of_destination.entry(claimed.destination).or_default() += 1;
        }
        for (destination, count) in of_destination {
            assert!(!self.gone.contains(&destination), "{destination} said 410");
            let quiet = self.quiet.get(&destination);
            assert!(
                quiet.is_none_or(|until| *until <= now),
                "{destination} throttled"
            );
            if let Some(state) = before.destinations.get(&destination) {
                check_gate(state, count, now);
            }
            self.check_rate(destination, count, now);
        }
    }

    fn taken(&mut self, claimed: &Claimed, before: &Snapshot, now: UnixMillis, end: UnixMillis) {
        let id = claimed.id;
        let row = before.owed.get(&id).expect("it was owed");
        assert!(row.due_at <= now, "{id} is not due before {:?}", row.due_at);
        assert_eq!(claimed.attempt, row.attempt + 1, "{id}");
        if claimed.probe.is_some() {
            self.probed(claimed, now);
        }
        self.check_order(id, before);
        let token = claimed.token;
        if let Some(former) = self.leases.insert(id, Lease { token, end }) {
            assert!(former.end <= now, "two workers hold {id}");
            self.lapsed.insert((id, row.attempt));
        }
    }

    fn probed(&mut self, claimed: &Claimed, now: UnixMillis) {
        let probe = (claimed.id, claimed.token);
        let Some((id, token)) = self.probes.insert(claimed.destination, probe) else {
            return;
        };
        let former = self.leases.get(&id).filter(|lease| lease.token == token);
        let under_way = former.is_some_and(|lease| lease.end > now);
        assert!(!under_way, "two probes: {id} and {}", claimed.id);
    }

    fn check_rate(&mut self, destination: DestinationId, count: usize, now: UnixMillis) {
        let Some(rate) = self.limits.get(&destination).copied() else {
            return;
        };
        let requests = self.requests.entry(destination).or_default();
        requests.extend(std::iter::repeat_n(now, count));
        for (index, since) in requests.iter().enumerate() {
            let window = now.millis() - since.millis();
            let most = rate + window * rate / 1000;
            let made = i64::try_from(requests.len() - index).unwrap();
            assert!(
                made <= most,
                "{destination}: {made} requests in {window} ms"
            );
        }
    }

    pub(super) fn settled(&mut self, batch: &[Settlement], after: &Snapshot) {
        self.fruitless = 0;
        let shut = |destination: &DestinationId| {
            let state = after.destinations.get(destination);
            state.is_some_and(|state| state.circuit != Circuit::Closed)
        };
        self.probes.retain(|destination, _| shut(destination));
        for settlement in batch {
            let id = settlement.id;
            let token = after.owed.get(&id).and_then(|row| row.lease_token);
            assert_ne!(token, Some(settlement.token), "{id} is still leased");
            self.judged(settlement);
            let held = self.leases.get(&id);
            if held.is_none_or(|lease| lease.token != settlement.token) {
                continue;
            }
            self.leases.remove(&id);
            let result = settlement.record.as_ref().map(|record| record.result);
            let key = (id, settlement.attempt);
            match result {
                Some(AttemptResult::Failure) => drop(self.ended.insert(key, settlement.now)),
                Some(AttemptResult::Unknown) => drop(self.cut.insert(key)),
                Some(AttemptResult::Success) | None => {}
            }
        }
    }

    fn judged(&mut self, settlement: &Settlement) {
        match settlement.peer_signal {
            PeerSignal::Gone => drop(self.gone.insert(settlement.destination)),
            PeerSignal::Overloaded(wish) => {
                let until = settlement.now.plus(wish.unwrap_or_default().min(DAY));
                let quiet = self.quiet.entry(settlement.destination).or_insert(until);
                *quiet = until.max(*quiet);
            }
            PeerSignal::Good | PeerSignal::Bad | PeerSignal::Silent => {}
        }
    }

    pub(super) fn jumped(&mut self, millis: i64) {
        self.requests.clear();
        if millis < 0 {
            // A rest that was over may be so no longer, and is not taken up again.
            self.quiet.clear();
        }
    }

    pub(super) fn enabled(&mut self, destinations: &[DestinationId]) {
        for destination in destinations {
            self.gone.remove(destination);
            self.quiet.remove(destination);
            self.requests.remove(destination);
            self.probes.remove(destination);
        }
    }

    pub(super) fn waited(&mut self) {
        self.fruitless += 1;
        assert!(self.fruitless < FRUITLESS, "something is due and not found");
    }

    /// Each delivery is in one place.
    pub(super) fn conserved(&self, ids: &[DeliveryId], now: &Snapshot) {
        for id in ids {
            let places = [now.owed.contains_key(id), now.decided.contains_key(id)];
            assert_ne!(places[0], places[1], "{id} is lost, or there twice");
        }
    }

    /// What is still owed is held.
    pub(super) fn ended(&self, now: &Snapshot) {
        for (id, row) in &now.owed {
            assert!(
                now.is_disabled(row.destination),
                "{id} waits for nothing: {row:?}"
            );
        }
    }

    /// What receivers have seen is what the log says.
    pub(super) fn agree(&self, seen: &Seen, log: &Log, now: &Snapshot, calm: bool) {
        for (key, sightings) in seen {
            self.check_sighting(*key, sightings, log, now);
        }
        for (key, (result, _)) in &log.attempts {
            match result {
                AttemptResult::Success => check_success(*key, seen),
                AttemptResult::Failure => {}
                AttemptResult::Unknown => {
                    let disturbed = self.lapsed.contains(key) || self.cut.contains(key);
                    assert!(disturbed && !calm, "{key:?}: why is it unknown?");
                }
            }
        }
        for (id, row) in &now.owed {
            let leased = i32::from(row.lease_token.is_some());
            log.check_numbers(*id, row.attempt - leased);
        }
        for (id, row) in &now.decided {
            log.check_numbers(*id, row.attempt);
            let last = log.attempts.get(&(*id, row.attempt));
            let well = last.is_some_and(|(result, _)| *result == AttemptResult::Success);
            // What was delivered, asked for again, and is canceled without another attempt.
            let again = self.resent.contains(id) && row.state == DeliveryState::Canceled;
            assert!(
                again || (row.state == DeliveryState::Delivered) == well,
                "{row:?}"
            );
        }
        for (event, result) in &log.events {
            assert_eq!(*result, now.result(*event), "{event}");
        }
    }

    fn check_sighting(&self, key: (DeliveryId, i32), seen: &[Sighting], log: &Log, now: &Snapshot) {
        let (id, number) = key;
        let [sighting] = seen else {
            panic!("{key:?} was sent {} times", seen.len());
        };
        let position = usize::try_from(number - sighting.base).unwrap();
        assert!((1..=SCHEDULE.len()).contains(&position), "{key:?} too many");
        if let Some(ended) = self.ended.get(&(id, number - 1))
            && position > 1
        {
            let due = ended.plus(Duration::from_secs(SCHEDULE[position - 1]));
            assert!(sighting.at >= due, "{key:?} came too early");
        }
        let leased = now.owed.get(&id).is_some_and(|r| r.lease_token.is_some());
        match log.attempts.get(&key) {
            Some((AttemptResult::Unknown, _)) => {}
            Some((result, status)) => {
                let well = *result == AttemptResult::Success;
                assert_eq!(well, sighting.delivered, "{key:?}");
                assert_eq!(*status, sighting.status.map(i32::from), "{key:?}");
            }
            None => assert!(leased, "{key:?} was sent, and is not on record"),
        }
    }
}

fn check_gate(state: &DestinationState, count: usize, now: UnixMillis) {
    assert!(state.disabled().is_none(), "disabled: {state:?}");
    let rests = |until: Option<UnixMillis>| until.is_some_and(|until| until > now);
    assert!(!rests(state.throttled_until), "throttled: {state:?}");
    if state.circuit != Circuit::Closed {
        assert!(!rests(state.circuit_until), "resting: {state:?}");
        assert_eq!(count, 1, "more than a probe: {state:?}");
    }
}

/// After a success there is nothing more to send, unless somebody asked for it.
fn check_success((id, number): (DeliveryId, i32), seen: &Seen) {
    assert!(seen.contains_key(&(id, number)), "nobody has seen it");
    for ((_, later), sightings) in seen.range((id, number + 1)..=(id, i32::MAX)) {
        let asked_for = sightings.iter().all(|s| s.base >= number);
        assert!(asked_for, "{id} was delivered, and sent again as {later}");
    }
}

/// The event log, by delivery and number.
#[derive(Debug, Default)]
pub(super) struct Log {
    attempts: BTreeMap<(DeliveryId, i32), (AttemptResult, Option<i32>)>,
    events: BTreeMap<EventId, EventResult>,
}

impl Log {
    pub(super) fn load(
        c: &mut AnyConnection,
        events: &[EventId],
        deliveries: &[DeliveryId],
    ) -> QueryResult<Self> {
        let ids = deliveries.iter().map(|id| (split(id.uuid()).0, *id));
        let ids: BTreeMap<Uuid, DeliveryId> = ids.collect();
        let mut log = Self::default();
        for event in events {
            let found = WebhookEventLog::find(c, *event)?.expect("it is logged");
            log.events.insert(*event, found.result);
            for logged in found.attempts {
                let (rest, number) = split(logged.id.to_string().parse().unwrap());
                let said = (logged.attempt.result, logged.attempt.status_code);
                let twice = log.attempts.insert((ids[&rest], number), said);
                assert!(twice.is_none(), "{rest} {number} is logged twice");
            }
        }
        Ok(log)
    }

    fn check_numbers(&self, id: DeliveryId, last: i32) {
        let of_id = self.attempts.range((id, 0)..=(id, i32::MAX));
        let numbers: Vec<i32> = of_id.map(|((_, number), _)| *number).collect();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "{id}");
    }
}

/// An attempt's Id is its delivery's, with its number in the middle.
fn split(id: Uuid) -> (Uuid, i32) {
    let mut bytes = id.into_bytes();
    let number = u16::from_be_bytes([bytes[6], bytes[7]]) & 0x0fff;
    (bytes[6], bytes[7]) = (0, 0);
    (Uuid::from_bytes(bytes), number.into())
}
