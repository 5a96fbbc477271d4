//! What asking tells of webhooks, and what is known of them before, on both databases.

use beadle_common::outbox::{Circuit, DisabledReason, FAILURES_TO_OPEN};

use super::*;

async fn answers_tell_how_a_webhook_fares(world: World) {
    let failing = world.webhook_saying("500 No", "").await;
    let busy = world
        .webhook_saying("429 Slow down", "retry-after: 60\r\n")
        .await;
    let gone = world.webhook_saying("410 Gone", "").await;
    let well = world.webhook_saying("200 OK", "").await;
    let answers = world.ask().await;

    let state = world.state(failing).await;
    assert_eq!((state.failures, state.failing_since), (1, Some(NOW)));
    let minute = NOW.plus(Duration::from_secs(60));
    assert_eq!(world.state(busy).await.throttled_until, Some(minute));
    let disabled = Some((NOW, DisabledReason::Gone));
    assert_eq!(world.state(gone).await.disabled(), disabled);
    assert_eq!(made(&answers, gone).1, Disposition::Hold);
    let healthy = DestinationState::healthy(well.into());
    assert_eq!(world.state(well).await, healthy);

    let shown = world.consent_client.metrics.show(&world.test.db, NOW).await;
    let shown = shown.unwrap();
    for line in [
        r#"beadle_webhooks_disabled_total{reason="gone"} 1"#,
        r#"beadle_attempts_total{class="http",kind="webhook",result="failure"} 3"#,
        r#"beadle_attempts_total{class="none",kind="webhook",result="success"} 1"#,
    ] {
        assert!(shown.lines().any(|had| had == line), "{line} in\n{shown}");
    }
}

async fn what_was_asked_to_rest_is_not_called_before_its_time(world: World) {
    let receiver = Receiver::start(Answer::status("503 No", "", "")).await;
    let webhook = world.webhook(&receiver.url(), LIMIT).await;
    let overloaded = UnclaimedAttempt {
        webhook,
        began: NOW,
        ended: NOW,
        peer_signal: PeerSignal::Overloaded(Some(Duration::from_secs(60))),
    };
    let policy = test_support::destination_policy();
    world
        .write(move |c| take_note(c, &[overloaded], &policy).map(drop))
        .await;
    world.advance(Duration::from_millis(59_999));
    assert_eq!(world.ask().await.0[&webhook], FirstAttempt::NotMade);
    assert_eq!(receiver.accepted(), 0);
    world.advance(Duration::from_millis(1));
    made(&world.ask().await, webhook);
    assert_eq!(receiver.requests().len(), 1);
}

async fn an_open_circuit_is_not_asked_until_it_has_rested(world: World) {
    let receiver = Receiver::start(Answer::status("500 No", "", "")).await;
    let webhook = world.webhook(&receiver.url(), LIMIT).await;
    for _ in 0..FAILURES_TO_OPEN {
        made(&world.ask().await, webhook);
    }
    let calls = receiver.requests().len();
    assert_eq!(world.state(webhook).await.circuit, Circuit::Open);
    assert_eq!(world.ask().await.0[&webhook], FirstAttempt::NotMade);

    // The first that asks again is the probe, and the rest grows with its failure.
    world.advance(Duration::from_secs(1));
    made(&world.ask().await, webhook);
    let two_seconds = world.state(webhook).await.circuit_until;
    assert_eq!(two_seconds, Some(NOW.plus(Duration::from_secs(3))));
    world.advance(Duration::from_millis(1999));
    assert_eq!(world.ask().await.0[&webhook], FirstAttempt::NotMade);
    assert_eq!(receiver.requests().len(), calls + 1);
}

async fn a_success_closes_the_circuit_and_forgets_the_failures(world: World) {
    let webhook = world.webhook_saying("200 OK", "").await;
    let failed = UnclaimedAttempt {
        webhook,
        began: NOW,
        ended: NOW,
        peer_signal: PeerSignal::Bad,
    };
    let (failed, policy) = ([failed; 10], test_support::destination_policy());
    world
        .write(move |c| take_note(c, &failed, &policy).map(drop))
        .await;
    assert_eq!(world.state(webhook).await.circuit, Circuit::Open);
    world.advance(Duration::from_secs(1));
    assert_eq!(made(&world.ask().await, webhook).1, DELIVERED);
    let healthy = DestinationState::healthy(webhook.into());
    assert_eq!(world.state(webhook).await, healthy);
}

async fn what_is_no_answer_says_nothing_about_the_webhook(world: World) {
    let webhook = world.webhook_saying("200 OK", "").await;
    let forget = |c: &mut AnyConnection| {
        use beadle_common::schema::webhook_secrets::dsl;
        use diesel::RunQueryDsl as _;
        diesel::delete(dsl::webhook_secrets).execute(c)?;
        Ok(())
    };
    world.write(forget).await;
    made(&world.ask().await, webhook);
    let healthy = DestinationState::healthy(webhook.into());
    assert_eq!(world.state(webhook).await, healthy);
}

beadle_common::on_both_databases!(
    #[tokio::test] async |test| super::World::on(test, &["127.0.0.0/8"], &[0, 100]);
    answers_tell_how_a_webhook_fares,
    what_was_asked_to_rest_is_not_called_before_its_time,
    an_open_circuit_is_not_asked_until_it_has_rested,
    a_success_closes_the_circuit_and_forgets_the_failures,
    what_is_no_answer_says_nothing_about_the_webhook,
);
