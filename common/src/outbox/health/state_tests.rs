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

fn report(judgement: Judgement, ended: UnixMillis) -> Report {
    Report {
        began: ended,
        ended,
        judgement,
        probe: None,
    }
}

fn probe(judgement: Judgement, ended: UnixMillis, lease_end: UnixMillis) -> Report {
    Report {
        probe: Some(lease_end),
        ..report(judgement, ended)
    }
}

fn healthy() -> DestinationState {
    DestinationState::healthy(DestinationId::random())
}

fn after(state: DestinationState, reports: &[Report]) -> (DestinationState, Vec<Happening>) {
    state.after(reports, Some(5 * DAY))
}

/// A destination whose circuit has just opened.
fn open() -> DestinationState {
    let (state, happened) = after(healthy(), &[report(Judgement::Bad, NOW); 10]);
    assert_eq!(happened, [Happening::CircuitOpened(at(1000))]);
    state
}

#[test]
fn ten_failures_in_a_row_open_the_circuit_and_nine_do_not() {
    let (nine, happened) = after(healthy(), &[report(Judgement::Bad, NOW); 9]);
    assert_eq!((nine.gate(NOW), happened), (Gate::Open, vec![]));
    let mut mixed = vec![report(Judgement::Bad, NOW); 9];
    mixed.push(report(Judgement::Good, NOW));
    mixed.extend([report(Judgement::Bad, NOW); 9]);
    assert_eq!(after(healthy(), &mixed).0.gate(NOW), Gate::Open);
    let state = open();
    assert_eq!(state.gate(at(999)), Gate::Until(at(1000)));
    assert_eq!(state.gate(at(1000)), Gate::Probe);
}

#[test]
fn failures_that_were_under_way_do_not_prolong_the_rest() {
    let state = open();
    let (later, happened) = after(state.clone(), &[report(Judgement::Bad, at(500)); 20]);
    assert_eq!(later.circuit_until, state.circuit_until);
    assert!(happened.is_empty());
    let mut probing = later;
    probing.probed(at(60_000));
    assert_eq!(probing.gate(at(59_999)), Gate::Until(at(60_000)));
    let (still, _) = after(probing.clone(), &[report(Judgement::Bad, at(2000))]);
    assert_eq!(still.circuit, Circuit::HalfOpen);
}

#[test]
fn each_probe_that_fails_doubles_the_rest_up_to_a_minute() {
    let (mut state, mut now) = (open(), at(1000));
    for seconds in [2, 4, 8, 16, 32, 60, 60] {
        let lease_end = now.plus(60 * SECOND);
        state.probed(lease_end);
        let (after, happened) = after(state, &[probe(Judgement::Bad, now, lease_end)]);
        let until = now.plus(Duration::from_secs(seconds));
        assert_eq!(after.gate(now), Gate::Until(until), "{seconds}");
        assert!(happened.is_empty(), "told once");
        (state, now) = (after, until);
    }
}

#[test]
fn a_success_closes_the_circuit_and_leaves_nothing_behind() {
    let mut state = open();
    state.probed(at(61_000));
    let (state, happened) = after(state, &[probe(Judgement::Good, at(1000), at(61_000))]);
    assert_eq!(happened, [Happening::CircuitClosed]);
    assert_eq!(state, DestinationState::healthy(state.destination));
    assert!(state.is_plain(at(1000)));
}

#[test]
fn a_probe_that_told_nothing_makes_room_for_another() {
    let mut state = open();
    state.probed(at(61_000));
    let (state, _) = after(state, &[probe(Judgement::Silent, at(1500), at(61_000))]);
    assert_eq!(state.gate(at(1500)), Gate::Probe);
    assert_eq!(state.failures, 10);
}

#[test]
fn a_probe_whose_lease_has_lapsed_makes_no_room_beside_the_next() {
    let mut state = open();
    state.probed(at(61_000));
    state.probed(at(121_000));
    for judgement in [Judgement::Bad, Judgement::Silent] {
        let late = probe(judgement, at(70_000), at(61_000));
        let (state, _) = after(state.clone(), &[late]);
        assert_eq!(state.gate(at(120_999)), Gate::Until(at(121_000)));
    }
}

#[test]
fn a_clock_that_was_set_back_lifts_no_rest() {
    let overloaded = report(Judgement::Overloaded(Some(60 * SECOND)), NOW);
    let (state, _) = after(healthy(), &[overloaded]);
    let before = Report {
        began: at(90_000),
        ..report(Judgement::Good, at(10))
    };
    let (state, _) = after(state, &[before]);
    assert_eq!(state.gate(at(10)), Gate::Until(at(60_000)));
}

#[test]
fn an_overloaded_destination_rests_for_longer_each_time() {
    let (mut state, mut now) = (healthy(), NOW);
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        // Many answer the same, since they were under way together.
        let many = [report(Judgement::Overloaded(None), now); 3];
        let (after, _) = after(state, &many);
        let until = now.plus(Duration::from_secs(seconds));
        assert_eq!(after.throttled_until, Some(until));
        (state, now) = (after, until);
    }
    let (state, _) = after(state, &[report(Judgement::Good, now)]);
    assert_eq!((state.throttled_until, state.throttles), (None, 0));
}

#[test]
fn a_destination_rests_as_long_as_it_asked_but_no_longer_than_a_day() {
    let wish = |seconds| Judgement::Overloaded(Some(Duration::from_secs(seconds)));
    for (seconds, rest) in [(0, 1), (30, 30), (90_000, 86_400)] {
        let (state, _) = after(healthy(), &[report(wish(seconds), NOW)]);
        let until = NOW.plus(Duration::from_secs(rest));
        assert_eq!(state.gate(NOW), Gate::Until(until));
    }
    // Who answers later may ask for more, never for less.
    let (state, _) = after(healthy(), &[report(wish(30), NOW), report(wish(5), NOW)]);
    assert_eq!(state.throttled_until, Some(NOW.plus(30 * SECOND)));
}

#[test]
fn a_success_that_was_under_way_does_not_end_the_rest() {
    let wish = Judgement::Overloaded(Some(30 * SECOND));
    let (state, _) = after(
        healthy(),
        &[report(wish, NOW), report(Judgement::Good, at(5))],
    );
    assert_eq!(state.gate(at(5)), Gate::Until(NOW.plus(30 * SECOND)));
    assert_eq!(state.failures, 0);
}

#[test]
fn gone_disables_at_once_and_only_once() {
    let gone = report(Judgement::Gone, NOW);
    let (state, happened) = after(healthy(), &[gone, gone]);
    assert_eq!(happened, [Happening::Disabled(DisabledReason::Gone)]);
    assert_eq!(state.disabled(), Some((NOW, DisabledReason::Gone)));
    assert_eq!(state.gate(NOW.plus(365 * DAY)), Gate::Disabled);
    // What was under way and arrives does not enable it.
    let (state, _) = after(state, &[report(Judgement::Good, at(5))]);
    assert_eq!(state.gate(at(5)), Gate::Disabled);
}

#[test]
fn nothing_but_failures_for_long_disables() {
    let bad = |after| report(Judgement::Bad, NOW.plus(after));
    let nearly = 5 * DAY - Duration::from_millis(1);
    let (state, happened) = after(healthy(), &[bad(Duration::ZERO), bad(nearly)]);
    assert!(happened.is_empty() && state.disabled().is_none());
    // That nothing happens is no failure, nor is what never reached it.
    let silence = report(Judgement::Silent, NOW.plus(6 * DAY));
    let (state, happened) = after(state, &[silence]);
    assert!(happened.is_empty());
    let (state, happened) = after(state, &[bad(5 * DAY)]);
    assert_eq!(happened, [Happening::Disabled(DisabledReason::Failing)]);
    assert_eq!(state.disabled_reason, Some(DisabledReason::Failing));
}

#[test]
fn one_success_in_between_keeps_it_enabled() {
    let reports = [
        report(Judgement::Bad, NOW),
        report(Judgement::Good, NOW.plus(3 * DAY)),
        report(Judgement::Bad, NOW.plus(6 * DAY)),
    ];
    assert_eq!(after(healthy(), &reports).0.disabled(), None);
}

#[test]
fn a_destination_that_nobody_can_enable_is_never_disabled() {
    let reports = [
        report(Judgement::Bad, NOW),
        report(Judgement::Bad, NOW.plus(99 * DAY)),
    ];
    let (state, _) = healthy().after(&reports, None);
    assert_eq!(state.disabled(), None);
}
