//! Promises of what follows from how attempts went.

use std::time::Duration;

use super::state::*;
use crate::id::DestinationId;
use crate::unix_millis::UnixMillis;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn at(millis: u64) -> UnixMillis {
    NOW.plus(Duration::from_millis(millis))
}

fn signal(peer_signal: PeerSignal, ended: UnixMillis) -> AttemptSignal {
    AttemptSignal {
        began: ended,
        ended,
        peer_signal,
        probe: None,
    }
}

fn probe(peer_signal: PeerSignal, ended: UnixMillis, lease_end: UnixMillis) -> AttemptSignal {
    AttemptSignal {
        probe: Some(lease_end),
        ..signal(peer_signal, ended)
    }
}

fn healthy() -> DestinationState {
    DestinationState::healthy(DestinationId::random())
}

fn after(
    state: DestinationState,
    signals: &[AttemptSignal],
) -> (DestinationState, Vec<DestinationEvent>) {
    state.after(signals, Some(5 * DAY))
}

/// A destination whose circuit has just opened.
fn open() -> DestinationState {
    let (state, happened) = after(healthy(), &[signal(PeerSignal::Bad, NOW); 10]);
    assert_eq!(happened, [DestinationEvent::CircuitOpened(at(1000))]);
    state
}

#[test]
fn ten_failures_in_a_row_open_the_circuit_and_nine_do_not() {
    let (nine, happened) = after(healthy(), &[signal(PeerSignal::Bad, NOW); 9]);
    assert_eq!((nine.admission(NOW), happened), (Admission::Open, vec![]));
    let mut mixed = vec![signal(PeerSignal::Bad, NOW); 9];
    mixed.push(signal(PeerSignal::Good, NOW));
    mixed.extend([signal(PeerSignal::Bad, NOW); 9]);
    assert_eq!(after(healthy(), &mixed).0.admission(NOW), Admission::Open);
    let state = open();
    assert_eq!(state.admission(at(999)), Admission::Until(at(1000)));
    assert_eq!(state.admission(at(1000)), Admission::Probe);
}

#[test]
fn failures_that_were_under_way_do_not_prolong_the_rest() {
    let state = open();
    let (later, happened) = after(state.clone(), &[signal(PeerSignal::Bad, at(500)); 20]);
    assert_eq!(later.circuit_until, state.circuit_until);
    assert!(happened.is_empty());
    let mut probing = later;
    probing.probed(at(60_000));
    assert_eq!(probing.admission(at(59_999)), Admission::Until(at(60_000)));
    let (still, _) = after(probing.clone(), &[signal(PeerSignal::Bad, at(2000))]);
    assert_eq!(still.circuit, Circuit::HalfOpen);
}

#[test]
fn each_probe_that_fails_doubles_the_rest_up_to_a_minute() {
    let (mut state, mut now) = (open(), at(1000));
    for seconds in [2, 4, 8, 16, 32, 60, 60] {
        let lease_end = now.plus(60 * SECOND);
        state.probed(lease_end);
        let (after, happened) = after(state, &[probe(PeerSignal::Bad, now, lease_end)]);
        let until = now.plus(Duration::from_secs(seconds));
        assert_eq!(after.admission(now), Admission::Until(until), "{seconds}");
        assert!(happened.is_empty(), "told once");
        (state, now) = (after, until);
    }
}

#[test]
fn a_success_closes_the_circuit_and_leaves_nothing_behind() {
    let mut state = open();
    state.probed(at(61_000));
    let (state, happened) = after(state, &[probe(PeerSignal::Good, at(1000), at(61_000))]);
    assert_eq!(happened, [DestinationEvent::CircuitClosed]);
    assert_eq!(state, DestinationState::healthy(state.destination));
    assert!(state.is_plain(at(1000)));
}

#[test]
fn a_probe_that_told_nothing_makes_room_for_another() {
    let mut state = open();
    state.probed(at(61_000));
    let (state, _) = after(state, &[probe(PeerSignal::Silent, at(1500), at(61_000))]);
    assert_eq!(state.admission(at(1500)), Admission::Probe);
    assert_eq!(state.failures, 10);
}

#[test]
fn a_probe_whose_lease_has_lapsed_makes_no_room_beside_the_next() {
    let mut state = open();
    state.probed(at(61_000));
    state.probed(at(121_000));
    for peer_signal in [PeerSignal::Bad, PeerSignal::Silent] {
        let late = probe(peer_signal, at(70_000), at(61_000));
        let (state, _) = after(state.clone(), &[late]);
        assert_eq!(state.admission(at(120_999)), Admission::Until(at(121_000)));
    }
}

#[test]
fn a_clock_that_was_set_back_lifts_no_rest() {
    let overloaded = signal(PeerSignal::Overloaded(Some(60 * SECOND)), NOW);
    let (state, _) = after(healthy(), &[overloaded]);
    let before = AttemptSignal {
        began: at(90_000),
        ..signal(PeerSignal::Good, at(10))
    };
    let (state, _) = after(state, &[before]);
    assert_eq!(state.admission(at(10)), Admission::Until(at(60_000)));
}

#[test]
fn an_overloaded_destination_rests_for_longer_each_time() {
    let (mut state, mut now) = (healthy(), NOW);
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        // Many answer the same, since they were under way together.
        let many = [signal(PeerSignal::Overloaded(None), now); 3];
        let (after, _) = after(state, &many);
        let until = now.plus(Duration::from_secs(seconds));
        assert_eq!(after.throttled_until, Some(until));
        (state, now) = (after, until);
    }
    let (state, _) = after(state, &[signal(PeerSignal::Good, now)]);
    assert_eq!((state.throttled_until, state.throttles), (None, 0));
}

#[test]
fn a_destination_rests_as_long_as_it_asked_but_no_longer_than_a_day() {
    let wish = |seconds| PeerSignal::Overloaded(Some(Duration::from_secs(seconds)));
    for (seconds, rest) in [(0, 1), (30, 30), (90_000, 86_400)] {
        let (state, _) = after(healthy(), &[signal(wish(seconds), NOW)]);
        let until = NOW.plus(Duration::from_secs(rest));
        assert_eq!(state.admission(NOW), Admission::Until(until));
    }
    // Who answers later may ask for more, never for less.
    let (state, _) = after(healthy(), &[signal(wish(30), NOW), signal(wish(5), NOW)]);
    assert_eq!(state.throttled_until, Some(NOW.plus(30 * SECOND)));
}

#[test]
fn a_success_that_was_under_way_does_not_end_the_rest() {
    let wish = PeerSignal::Overloaded(Some(30 * SECOND));
    let (state, _) = after(
        healthy(),
        &[signal(wish, NOW), signal(PeerSignal::Good, at(5))],
    );
    assert_eq!(
        state.admission(at(5)),
        Admission::Until(NOW.plus(30 * SECOND))
    );
    assert_eq!(state.failures, 0);
}

#[test]
fn gone_disables_at_once_and_only_once() {
    let gone = signal(PeerSignal::Gone, NOW);
    let (state, happened) = after(healthy(), &[gone, gone]);
    assert_eq!(happened, [DestinationEvent::Disabled(DisabledReason::Gone)]);
    assert_eq!(state.disabled(), Some((NOW, DisabledReason::Gone)));
    assert_eq!(state.admission(NOW.plus(365 * DAY)), Admission::Disabled);
    // What was under way and arrives does not enable it.
    let (state, _) = after(state, &[signal(PeerSignal::Good, at(5))]);
    assert_eq!(state.admission(at(5)), Admission::Disabled);
}

#[test]
fn nothing_but_failures_for_long_disables() {
    let bad = |after| signal(PeerSignal::Bad, NOW.plus(after));
    let nearly = 5 * DAY - Duration::from_millis(1);
    let (state, happened) = after(healthy(), &[bad(Duration::ZERO), bad(nearly)]);
    assert!(happened.is_empty() && state.disabled().is_none());
    // That nothing happens is no failure, nor is what never reached it.
    let silence = signal(PeerSignal::Silent, NOW.plus(6 * DAY));
    let (state, happened) = after(state, &[silence]);
    assert!(happened.is_empty());
    let (state, happened) = after(state, &[bad(5 * DAY)]);
    assert_eq!(
        happened,
        [DestinationEvent::Disabled(DisabledReason::Failing)]
    );
    assert_eq!(state.disabled_reason, Some(DisabledReason::Failing));
}

#[test]
fn one_success_in_between_keeps_it_enabled() {
    let signals = [
        signal(PeerSignal::Bad, NOW),
        signal(PeerSignal::Good, NOW.plus(3 * DAY)),
        signal(PeerSignal::Bad, NOW.plus(6 * DAY)),
    ];
    assert_eq!(after(healthy(), &signals).0.disabled(), None);
}

#[test]
fn a_destination_that_nobody_can_enable_is_never_disabled() {
    let signals = [
        signal(PeerSignal::Bad, NOW),
        signal(PeerSignal::Bad, NOW.plus(99 * DAY)),
    ];
    let (state, _) = healthy().after(&signals, None);
    assert_eq!(state.disabled(), None);
}
