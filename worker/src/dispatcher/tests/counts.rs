//! What is counted of deliveries.

use super::*;

impl World {
    async fn shown(&self) -> String {
        self.metrics.show(&self.db, self.now()).await.unwrap()
    }
}

fn assert_has(text: &str, line: &str) {
    assert!(text.lines().any(|had| had == line), "{line} in\n{text}");
}

async fn attempts_and_their_ends_are_counted(world: World) {
    let good = world.add(DestinationId::random());
    let bad = world.add(world.destination(Act::Fail(FailureKind::Retry)));
    let gone = world.add(DestinationId::random());
    world.fault(gone, Fault::Unsendable(Unsendable::Gone));
    let dispatcher = world.start();
    world.fate_of(good).await;
    world.fate_of(gone).await;
    for (attempt, later) in [(1, 5 * SECOND), (2, 300 * SECOND)] {
        world.until_pending(bad, attempt).await;
        world.advance(later);
    }
    world.fate_of(bad).await;
    world.stop(dispatcher).await;

    let text = world.shown().await;
    for line in [
        r#"beadle_attempts_total{class="none",kind="webhook",result="success"} 1"#,
        r#"beadle_attempts_total{class="http",kind="webhook",result="failure"} 3"#,
        r#"beadle_attempt_duration_seconds_count{kind="webhook"} 4"#,
        r#"beadle_deliveries_settled_total{kind="webhook",state="Delivered"} 1"#,
        r#"beadle_deliveries_settled_total{kind="webhook",state="Exhausted"} 1"#,
        r#"beadle_deliveries_settled_total{kind="webhook",state="Canceled"} 1"#,
        r#"beadle_claimed_rows_total{kind="webhook"} 5"#,
        r#"beadle_settle_batch_rows_sum{kind="webhook"} 5"#,
    ] {
        assert_has(&text, line);
    }
}

async fn what_waits_and_what_is_disabled_shows(world: World) {
    let id = world.add(world.destination(Act::Fail(FailureKind::Gone)));
    world.advance(7 * SECOND);
    let oldest = r#"beadle_outbox_oldest_due_seconds{kind="webhook"}"#;
    assert_has(&world.shown().await, &format!("{oldest} 7"));

    let dispatcher = world.start();
    let disabled = r#"beadle_webhooks_disabled_total{reason="gone"} 1"#;
    until("it is held", || {
        world.owed(id).is_some_and(|(_, _, leased)| !leased) && world.sent().len() == 1
    })
    .await;
    world.stop(dispatcher).await;
    world.advance(7 * SECOND);
    let text = world.shown().await;
    assert_has(&text, disabled);
    assert_has(&text, r#"beadle_destinations{state="disabled"} 1"#);
    // Nobody could deliver what is held, so nobody is late.
    assert_has(&text, &format!("{oldest} 0"));
}

both_databases!(
    attempts_and_their_ends_are_counted,
    what_waits_and_what_is_disabled_shows,
);
