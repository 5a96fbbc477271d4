//! Promises of the webhook event log, on both databases.

use std::time::Duration;

use super::*;
use crate::db::Db;
use crate::id::{DeliveryId, TenantId, WebhookId};
use crate::model::event::EventRow;
use crate::model::search::{Sort, Window};
use crate::outbox::{self, AttemptRecord, AttemptResult, Claimed, DeliveryState, Disposition};
use crate::outbox::{ClaimRequest, Kind, NewDelivery, Payload, Settlement};
use crate::test_support::{both_databases, claim_request, destination_policy, write};

const NOW: UnixMillis = UnixMillis::from_millis(1_000_000);
const SECOND: Duration = Duration::from_secs(1);
const PAGE: Window = Window {
    start: 0,
    results: 25,
};

/// An event for `webhooks` receivers.
fn raise(db: &Db, at: UnixMillis, body: &str, webhooks: usize) -> EventId {
    let event = EventRow {
        id: EventId::sequential(),
        event_type: "user.action".to_owned(),
        tenant_id: TenantId::random(),
        action_log_id: None,
        linked_object_id: None,
        body: body.to_owned(),
        insert_instant: at,
    };
    write(db, move |connection| {
        event.insert(connection)?;
        for _ in 0..webhooks {
            let delivery = NewDelivery {
                id: DeliveryId::sequential(),
                destination: WebhookId::random().into(),
                payload: Payload::Webhook(event.id),
                due_at: at,
                insert_instant: at,
            };
            outbox::insert(connection, &delivery)?;
        }
        Ok(event.id)
    })
}

/// Tries every delivery that is due once; the first one ends as `dispositions` begins.
fn attempt(db: &Db, now: UnixMillis, dispositions: &[Disposition]) {
    let request = ClaimRequest {
        per_destination: 5,
        ..claim_request(Kind::Webhook, now, 10)
    };
    let mut claimed: Vec<Claimed> = write(db, move |c| outbox::claim(c, &request));
    claimed.sort_by_key(|claimed| claimed.id);
    let settle = |(claimed, disposition): (Claimed, &Disposition)| {
        let well = *disposition == Disposition::Finished(DeliveryState::Delivered);
        let record = AttemptRecord {
            instant: now,
            duration_millis: 12,
            result: match well {
                true => AttemptResult::Success,
                false => AttemptResult::Failure,
            },
            status_code: Some(if well { 200 } else { 500 }),
            class: (!well).then(|| "http".to_owned()),
            message: None,
            response_excerpt: None,
        };
        Settlement::of(&claimed, now, Some(record), *disposition)
    };
    let batch: Vec<Settlement> = claimed.into_iter().zip(dispositions).map(settle).collect();
    assert_eq!(batch.len(), dispositions.len());
    write(db, move |connection| {
        crate::settlement::settle(connection, &batch, &destination_policy())
    });
}

fn log(db: &Db, id: EventId) -> WebhookEventLog {
    write(db, move |c| WebhookEventLog::find(c, id)).unwrap()
}

fn all() -> WebhookEventCriteria {
    WebhookEventCriteria {
        event: None,
        result: None,
        event_type: None,
        start: NOW,
        end: NOW.plus(60 * SECOND),
    }
}

fn found(db: &Db, criteria: WebhookEventCriteria, sorts: &[Sort]) -> Vec<EventId> {
    let sorts = sorts.to_vec();
    let found = write(db, move |c| {
        WebhookEventLog::search(c, &criteria, &sorts, PAGE)
    });
    assert_eq!(found.total, i64::try_from(found.ids.len()).unwrap());
    found.ids.into_iter().map(|(id, _)| id).collect()
}

fn sort(field: &'static str) -> Vec<Sort> {
    vec![Sort {
        field,
        descending: false,
    }]
}

const DELIVERED: Disposition = Disposition::Finished(DeliveryState::Delivered);
const EXHAUSTED: Disposition = Disposition::Finished(DeliveryState::Exhausted);
const HELD: Disposition = Disposition::Hold;

fn an_event_runs_until_its_last_delivery_is_decided(db: &Db) {
    let event = raise(db, NOW, "{}", 2);
    assert_eq!(log(db, event).result, EventResult::Running);
    let later = NOW.plus(SECOND);
    attempt(db, NOW, &[DELIVERED, Disposition::Retry { at: later }]);
    let running = log(db, event);
    assert_eq!(running.result, EventResult::Running);
    assert_eq!(running.attempts.len(), 2);
    attempt(db, later, &[EXHAUSTED]);
    let failed = log(db, event);
    assert_eq!(failed.result, EventResult::Failed);
    assert_eq!(failed.attempts.len(), 3);
    assert_eq!(failed.last_attempt(), Some(later));
    let earlier = &failed.attempts[1];
    let again = earlier.id;
    let one = write(db, move |c| LoggedAttempt::find(c, again)).unwrap();
    assert_eq!((one.event, one.webhook), (event, earlier.webhook));
    assert_eq!(one.attempt.instant, earlier.attempt.instant);
    let nothing = AttemptId::from(uuid::Uuid::from_u128(7));
    assert!(write(db, move |c| LoggedAttempt::find(c, nothing)).is_none());
}

fn what_waits_for_its_webhook_runs(db: &Db) {
    let (held, quiet) = (raise(db, NOW, "{}", 1), raise(db, NOW, "{}", 0));
    attempt(db, NOW, &[HELD]);
    assert_eq!(log(db, held).result, EventResult::Running);
    assert_eq!(log(db, quiet).result, EventResult::Succeeded);
}

fn events_are_found_by_everything_that_is_known_of_them(db: &Db) {
    let first = raise(db, NOW, r#"{"action":"Ban"}"#, 1);
    let second = raise(db, NOW.plus(SECOND), r#"{"action":"Praise"}"#, 1);
    let third = raise(db, NOW.plus(2 * SECOND), r#"{"action":"Ban"}"#, 1);
    attempt(
        db,
        NOW.plus(5 * SECOND),
        &[
            DELIVERED,
            EXHAUSTED,
            Disposition::Retry {
                at: UnixMillis::NEVER,
            },
        ],
    );
    assert_eq!(
        found(db, all(), &sort("insertInstant")),
        [first, second, third]
    );
    assert_eq!(found(db, all(), &[]), [third, second, first]);
    assert_eq!(
        found(db, all(), &sort("eventResult")),
        [second, third, first]
    );
    for field in ["eventType", "linkedObjectId", "lastAttemptInstant"] {
        assert_eq!(
            found(db, all(), &sort(field)),
            [third, second, first],
            "{field}"
        );
    }
    let about = |text: &str| WebhookEventCriteria {
        event: Some(text.to_owned()),
        ..all()
    };
    assert_eq!(
        found(db, about("\"BAN\""), &sort("sequence")),
        [first, third]
    );
    assert_eq!(found(db, about("*praise*"), &[]), [second]);
    for (result, event) in [
        (EventResult::Succeeded, first),
        (EventResult::Failed, second),
        (EventResult::Running, third),
    ] {
        let criteria = WebhookEventCriteria {
            result: Some(result),
            ..all()
        };
        assert_eq!(found(db, criteria, &[]), [event]);
    }
    let other = WebhookEventCriteria {
        event_type: Some("test".to_owned()),
        ..all()
    };
    assert!(found(db, other, &[]).is_empty());
    let late = WebhookEventCriteria {
        start: NOW.plus(2 * SECOND),
        ..all()
    };
    assert_eq!(found(db, late, &[]), [third]);
}

both_databases!(an_event_runs_until_its_last_delivery_is_decided);
both_databases!(what_waits_for_its_webhook_runs);
both_databases!(events_are_found_by_everything_that_is_known_of_them);
