//! What is written when webhooks were asked before the commit.

use super::*;
use crate::deliveries::Details;
use crate::deliveries::webhook_log::{EventResult, WebhookEventLog};
use crate::id::DeliveryId;
use crate::lifecycle::system::prepare_by_system;
use crate::model::user_action::TransactionType;
use crate::outbox::{
    AttemptRecord, AttemptResult, ClaimRequest, DeliveryState, Destinations, Disposition, Kind,
    Missing, Replay, Resent, claim, resend,
};
use crate::test_support::both_databases;

const LATER: UnixMillis = UnixMillis::from_millis(1_700_000_005_000);

fn record(status: i32) -> AttemptRecord {
    let failed = status != 200;
    AttemptRecord {
        instant: NOW,
        duration_millis: 12,
        result: match failed {
            true => AttemptResult::Failure,
            false => AttemptResult::Success,
        },
        status_code: Some(status),
        class: failed.then(|| "http".to_owned()),
        message: failed.then(|| format!("the receiver answered {status}")),
        response_excerpt: None,
    }
}

fn yes() -> FirstAttempt {
    FirstAttempt::Made {
        record: record(200),
        disposition: Disposition::Finished(DeliveryState::Delivered),
    }
}

fn no() -> FirstAttempt {
    FirstAttempt::Made {
        record: record(500),
        disposition: Disposition::Retry { at: LATER },
    }
}

fn answers(given: &[(&Webhook, FirstAttempt)]) -> FirstAttempts {
    let answer = |(webhook, attempt): &(&Webhook, FirstAttempt)| (webhook.id, attempt.clone());
    FirstAttempts(given.iter().map(answer).collect())
}

fn commit_with(db: &Db, change: Change, answers: &FirstAttempts) -> Change {
    let answers = answers.clone();
    db.write_blocking(move |c| {
        commit_answered(c, &change, &answers)?;
        Ok::<_, Conflict>(change)
    })
    .unwrap()
}

fn roll_back(db: &Db, change: Change, answers: &FirstAttempts) -> Result<(), DbError> {
    let answers = answers.clone();
    db.write_blocking(move |c| Ok(record_rollback(c, &change, &answers)?))
}

fn webhooks(db: &Db) -> [Webhook; 3] {
    let hooks = [webhook(true), webhook(true), webhook(true)];
    let rows = hooks.clone();
    write(db, move |c| rows.iter().try_for_each(|hook| hook.insert(c)));
    hooks
}

/// The states of all deliveries that have left the outbox, each with the attempts made.
fn settled(db: &Db) -> BTreeMap<DestinationId, (DeliveryState, i32)> {
    use crate::schema::deliveries::dsl;
    let rows: Vec<(DestinationId, DeliveryState, i32)> = write(db, |c| {
        dsl::deliveries
            .select((dsl::destination, dsl::state, dsl::attempt))
            .load(c)
    });
    rows.into_iter()
        .map(|(destination, state, attempt)| (destination, (state, attempt)))
        .collect()
}

fn log(db: &Db, event: crate::id::EventId) -> WebhookEventLog {
    write(db, move |c| WebhookEventLog::find(c, event)).unwrap()
}

fn event_of(change: &Change) -> crate::id::EventId {
    change.event.as_ref().unwrap().id
}

/// A world in which all webhooks have to agree.
fn strict(db: &Db) -> World {
    let mut world = World::new(db);
    world.ban.transaction_type = Some(TransactionType::AbsoluteMajority);
    let ban = world.ban.clone();
    write(db, move |c| ban.update(c));
    world
}

fn an_answer_counts_as_the_first_attempt(db: &Db) {
    let (world, [agreed, failed, disabled]) = (strict(db), webhooks(db));
    let change = prepare(db, &call(NOW), &world.request()).unwrap();
    let answers = answers(&[
        (&agreed, yes()),
        (&failed, no()),
        (&disabled, FirstAttempt::NotMade),
    ]);
    assert_eq!((answers.asked(), answers.agreed()), (3, 1));
    let change = commit_with(db, change, &answers);
    assert_eq!(stored(db, &change).id, change.log().id);
    assert_eq!(
        settled(db),
        BTreeMap::from([(agreed.id.into(), (DeliveryState::Delivered, 1))])
    );
    let log = log(db, event_of(&change));
    assert_eq!((log.result, log.attempts.len()), (EventResult::Running, 2));
    // The one that was not called is due now, for the first time; the other is not.
    let request = |now| ClaimRequest {
        kind: Kind::Webhook,
        now,
        lease_end: now.plus(DAY),
        owner: "test".to_owned(),
        limit: 10,
        per_destination: 10,
        destinations: Destinations::default(),
    };
    let mut due = write(db, move |c| claim(c, &request(NOW)));
    let fresh = due.pop().unwrap();
    assert_eq!(
        (fresh.destination, fresh.attempt, due.len()),
        (disabled.id.into(), 1, 0)
    );
    let mut due = write(db, move |c| claim(c, &request(LATER)));
    let retried = due.pop().unwrap();
    assert_eq!(
        (retried.destination, retried.attempt, due.len()),
        (failed.id.into(), 2, 0)
    );
}

fn the_webhooks_are_those_of_the_commit_but_what_was_sent_stays_on_record(db: &Db) {
    let (world, [agreed, failed, _]) = (strict(db), webhooks(db));
    let change = prepare(db, &call(NOW), &world.request()).unwrap();
    let late = webhook(true);
    let (gone, also_gone, new) = (agreed.id, failed.id, late.id);
    write(db, move |c| {
        Webhook::delete(c, gone)?;
        Webhook::delete(c, also_gone)?;
        late.insert(c)
    });
    commit_with(db, change, &answers(&[(&agreed, yes()), (&failed, no())]));
    assert_eq!(
        settled(db),
        BTreeMap::from([
            (agreed.id.into(), (DeliveryState::Delivered, 1)),
            (failed.id.into(), (DeliveryState::Canceled, 1)),
        ])
    );
    assert!(destinations(db).contains(&new.into()));
}

fn the_last_of_all_attempts_may_be_the_first(db: &Db) {
    let (world, [only, _, _]) = (strict(db), webhooks(db));
    let change = prepare(db, &call(NOW), &world.request()).unwrap();
    let exhausted = FirstAttempt::Made {
        record: record(500),
        disposition: Disposition::Finished(DeliveryState::Exhausted),
    };
    commit_with(db, change, &answers(&[(&only, exhausted)]));
    assert_eq!(settled(db)[&only.id.into()], (DeliveryState::Exhausted, 1));
}

fn what_is_gone_is_held_and_begins_its_schedule_anew(db: &Db) {
    use crate::schema::outbox::dsl;
    let (world, [gone, _, _]) = (strict(db), webhooks(db));
    let change = prepare(db, &call(NOW), &world.request()).unwrap();
    let held = FirstAttempt::Made {
        record: record(410),
        disposition: Disposition::Hold,
    };
    commit_with(db, change, &answers(&[(&gone, held)]));
    let destination = DestinationId::from(gone.id);
    let owed: (i32, i32) = write(db, move |c| {
        dsl::outbox
            .filter(dsl::destination.eq(destination))
            .select((dsl::attempt, dsl::base_attempt))
            .first(c)
    });
    assert_eq!(owed, (1, 1));
}

fn of_a_change_that_is_not_committed_only_what_was_sent_is_left(db: &Db) {
    let (world, [agreed, failed, disabled]) = (strict(db), webhooks(db));
    let before = census(db, &TABLES);
    let change = prepare(db, &call(NOW), &world.request()).unwrap();
    let (event, body) = (event_of(&change), change.event.clone().unwrap().body);
    let answers = answers(&[
        (&agreed, yes()),
        (&failed, no()),
        (&disabled, FirstAttempt::NotMade),
    ]);
    roll_back(db, change, &answers).unwrap();
    let mut after = census(db, &TABLES);
    assert_eq!((after["events"], after["deliveries"]), (1, 3));
    after.extend([("events", 0), ("deliveries", 0)]);
    assert_eq!(after, before);
    assert_eq!(
        settled(db),
        BTreeMap::from([
            (agreed.id.into(), (DeliveryState::Delivered, 1)),
            (failed.id.into(), (DeliveryState::Canceled, 1)),
            (disabled.id.into(), (DeliveryState::Canceled, 0)),
        ])
    );
    let log = log(db, event);
    assert_eq!((log.result, log.event.body), (EventResult::Failed, body));
    nothing_of_it_is_delivered_later(db);
    let mut statuses: Vec<_> = log.attempts.iter().map(|a| a.attempt.status_code).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [Some(200), Some(500)]);
}

fn nothing_of_it_is_delivered_later(db: &Db) {
    use crate::schema::deliveries::dsl;
    let ids: Vec<DeliveryId> = write(db, |c| dsl::deliveries.select(dsl::id).load(c));
    for id in ids {
        let resent = write(db, move |c| resend(c, id, LATER));
        assert_eq!(resent, Resent::Gone(Missing::Occurrence));
        let details = write(db, move |c| Details::find(c, id)).unwrap();
        let explanation = details.explanation(LATER);
        assert!(explanation.contains("did not happen"), "{explanation}");
    }
    let replay = Replay {
        webhook: None,
        kind: None,
        states: vec![
            DeliveryState::Delivered,
            DeliveryState::Exhausted,
            DeliveryState::Canceled,
        ],
        start: None,
        end: None,
    };
    assert_eq!(write(db, move |c| replay.count(c)), 0);
}

fn what_was_committed_after_all_is_not_recorded_as_rolled_back(db: &Db) {
    let (world, [agreed, _, _]) = (strict(db), webhooks(db));
    let change = prepare(db, &call(NOW), &world.request()).unwrap();
    let answers = answers(&[(&agreed, yes())]);
    let change = commit_with(db, change, &answers);
    let event = event_of(&change);
    let again = roll_back(db, change, &answers);
    assert!(matches!(again, Err(DbError::Duplicate(_))), "{again:?}");
    assert_eq!(log(db, event).result, EventResult::Running);
}

fn neither_time_nor_the_system_asks_anybody(db: &Db) {
    let (world, _) = (strict(db), webhooks(db));
    let change = prepare(db, &call(NOW), &world.request()).unwrap();
    let question = change.consent_request().unwrap();
    assert_eq!(question.transaction_type, TransactionType::AbsoluteMajority);
    assert_eq!(question.event, event_of(&change));
    let quiet = Call {
        broadcast: false,
        ..call(NOW)
    };
    assert!(
        prepare(db, &quiet, &world.request())
            .unwrap()
            .consent_request()
            .is_none()
    );
    let step = SystemStep::Lock {
        user: world.actionee.id,
        definition: world.ban.id,
        expiry: NOW.plus(DAY),
        email_user: false,
    };
    let lock = db
        .read_blocking(|c| prepare_by_system(c, &setup(), &call(NOW), &step))
        .unwrap()
        .unwrap();
    assert!(lock.event.is_some() && lock.consent_request().is_none());
}

both_databases!(
    an_answer_counts_as_the_first_attempt,
    the_webhooks_are_those_of_the_commit_but_what_was_sent_stays_on_record,
    the_last_of_all_attempts_may_be_the_first,
    what_is_gone_is_held_and_begins_its_schedule_anew,
    of_a_change_that_is_not_committed_only_what_was_sent_is_left,
    what_was_committed_after_all_is_not_recorded_as_rolled_back,
    neither_time_nor_the_system_asks_anybody,
);
