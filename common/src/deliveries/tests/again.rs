//! Promises of what is made once more, on both databases.

use super::*;

fn resend(db: &Db, id: DeliveryId, now: UnixMillis) -> Resent {
    write(db, move |c| outbox::resend(c, id, now))
}

fn a_resend_goes_on_counting(db: &Db) {
    let now = UnixMillis::now();
    let webhook = add_webhook(db);
    let id = owe(db, webhook, None, now);
    attempt(db, now, EXHAUSTED);
    assert_eq!(resend(db, id, now), Resent::Due);
    told(
        db,
        id,
        now,
        DeliveryStatus::Pending,
        &["asked for again after 1 attempt", "attempt 2"],
    );
    let Place::Owed(owed) = details(db, id).delivery.place else {
        panic!("it is owed");
    };
    assert_eq!(owed.base_attempt, 1);
    // Once more changes nothing but the clock.
    assert_eq!(resend(db, id, now), Resent::Due);
    attempt(db, now, DELIVERED);
    let details = details(db, id);
    assert_eq!(details.standing(now), DeliveryStatus::Delivered);
    let results: Vec<_> = details
        .attempts
        .iter()
        .map(|a| (a.number, a.result))
        .collect();
    assert_eq!(
        results,
        [(1, AttemptResult::Failure), (2, AttemptResult::Success)]
    );
}

fn a_resend_hurries_what_waits_and_leaves_alone_what_is_under_way(db: &Db) {
    let now = UnixMillis::now();
    let webhook = add_webhook(db);
    let id = owe(db, webhook, None, now);
    attempt(
        db,
        now,
        Disposition::Retry {
            at: now.plus(3600 * SECOND),
        },
    );
    assert!(claim(db, now).is_empty());
    assert_eq!(resend(db, id, now), Resent::Due);
    assert_eq!(claim(db, now).len(), 1);
    assert_eq!(resend(db, id, now), Resent::Leased);
    assert_eq!(resend(db, DeliveryId::sequential(), now), Resent::Unknown);
    write(db, move |c| {
        crate::model::webhook::Webhook::delete(c, webhook)
    });
    assert_eq!(resend(db, id, now), Resent::Gone(outbox::Missing::Webhook));
}

fn everything(webhook: Option<WebhookId>) -> Replay {
    Replay {
        webhook,
        kind: None,
        states: vec![DeliveryState::Exhausted],
        start: None,
        end: None,
    }
}

/// Batch by batch to the end.
fn replay(db: &Db, replay: &Replay) -> usize {
    let mut moved = 0;
    let mut after = None;
    loop {
        let (replay, now) = (replay.clone(), UnixMillis::now());
        let batch = write(db, move |c| replay.batch(c, after, now));
        moved += batch.moved;
        match batch.next {
            Some(next) => after = Some(next),
            None => return moved,
        }
    }
}

fn count(db: &Db, replay: &Replay) -> i64 {
    let replay = replay.clone();
    write(db, move |c| replay.count(c))
}

fn a_replay_takes_what_was_given_up_and_nothing_else(db: &Db) {
    let now = UnixMillis::now();
    let (one, two, gone) = (add_webhook(db), add_webhook(db), add_webhook(db));
    let given_up = [owe(db, one, None, now), owe(db, two, None, now)];
    owe(db, gone, None, now);
    attempt(db, now, EXHAUSTED);
    let delivered = owe(db, one, None, now);
    attempt(db, now, DELIVERED);
    write(db, move |c| crate::model::webhook::Webhook::delete(c, gone));
    assert_eq!(count(db, &everything(None)), 2);
    assert_eq!(count(db, &everything(Some(two))), 1);
    let mails = Replay {
        kind: Some(Kind::Email),
        ..everything(None)
    };
    assert_eq!(count(db, &mails), 0);
    let later = Replay {
        start: Some(now.plus(SECOND)),
        ..everything(None)
    };
    assert_eq!(count(db, &later), 0);
    let earlier = Replay {
        end: Some(now.minus(SECOND)),
        ..everything(None)
    };
    assert_eq!(count(db, &earlier), 0);
    let with_delivered = Replay {
        states: vec![DeliveryState::Exhausted, DeliveryState::Delivered],
        ..everything(Some(one))
    };
    assert_eq!(count(db, &with_delivered), 2);
    assert_eq!(replay(db, &everything(None)), 2);
    assert_eq!(count(db, &everything(None)), 0);
    for id in given_up {
        assert_eq!(details(db, id).standing(now), DeliveryStatus::Pending);
    }
    assert_eq!(
        details(db, delivered).standing(now),
        DeliveryStatus::Delivered
    );
    attempt(db, UnixMillis::now(), DELIVERED);
    assert_eq!(details(db, given_up[0]).attempts.len(), 2);
}

fn a_replay_of_many_goes_in_batches(db: &Db) {
    let now = UnixMillis::now();
    let webhook = add_webhook(db);
    let first = owe(db, webhook, None, now);
    let Payload::Webhook(event) = details(db, first).delivery.payload else {
        panic!("an event is delivered");
    };
    write(db, move |connection| {
        for _ in 0..600 {
            let delivery = NewDelivery {
                id: DeliveryId::sequential(),
                destination: webhook.into(),
                payload: Payload::Webhook(event),
                due_at: now,
                insert_instant: now,
            };
            outbox::insert(connection, &delivery)?;
        }
        Ok(())
    });
    for _ in 0..7 {
        attempt(db, now, EXHAUSTED);
    }
    let all = everything(None);
    assert_eq!(count(db, &all), 601);
    let first = all.clone();
    let batch = write(db, move |c| first.batch(c, None, now));
    assert!(batch.moved < 601 && batch.next.is_some());
    assert_eq!(batch.moved + replay(db, &all), 601);
}

both_databases!(
    a_resend_goes_on_counting,
    a_resend_hurries_what_waits_and_leaves_alone_what_is_under_way,
    a_replay_takes_what_was_given_up_and_nothing_else,
    a_replay_of_many_goes_in_batches,
);
