//! Promises of the look at deliveries, on both databases.

mod again;
use std::time::Duration;

use diesel::prelude::*;

use super::*;
use crate::db::Db;
use crate::id::{ActionLogId, DeliveryId, EventId, TenantId, WebhookId};
use crate::model::event::EventRow;
use crate::model::search::Window;
use crate::outbox::{
    self, AttemptRecord, AttemptResult, ClaimRequest, Claimed, DeliveryState, Disposition, Kind,
    NewDelivery, Payload, Place, Replay, Resent, Settlement,
};
use crate::schema::destination_states;
use crate::test_support::{both_databases, claim_request, destination_policy, webhook, write};
use crate::unix_millis::UnixMillis;

const SECOND: Duration = Duration::from_secs(1);
const PAGE: Window = Window {
    start: 0,
    results: 25,
};
const DELIVERED: Disposition = Disposition::Finished(DeliveryState::Delivered);
const EXHAUSTED: Disposition = Disposition::Finished(DeliveryState::Exhausted);

fn add_webhook(db: &Db) -> WebhookId {
    let id = WebhookId::random();
    write(db, move |c| webhook(id, Vec::new()).insert(c));
    id
}

/// An event of an action, for one webhook.
fn owe(db: &Db, webhook: WebhookId, action: Option<ActionLogId>, now: UnixMillis) -> DeliveryId {
    let event = EventRow {
        id: EventId::sequential(),
        event_type: "user.action".to_owned(),
        tenant_id: TenantId::random(),
        action_log_id: action,
        linked_object_id: None,
        body: "{}".to_owned(),
        insert_instant: now,
    };
    let delivery = NewDelivery {
        id: DeliveryId::sequential(),
        destination: webhook.into(),
        payload: Payload::Webhook(event.id),
        due_at: now,
        insert_instant: now,
    };
    let id = delivery.id;
    write(db, move |connection| {
        event.insert(connection)?;
        outbox::insert(connection, &delivery)
    });
    id
}

fn claim(db: &Db, now: UnixMillis) -> Vec<Claimed> {
    let request = ClaimRequest {
        owner: "worker-1".to_owned(),
        ..claim_request(Kind::Webhook, now, 100)
    };
    write(db, move |c| outbox::claim(c, &request))
}

/// Tries everything that is due.
fn attempt(db: &Db, now: UnixMillis, disposition: Disposition) {
    let well = disposition == DELIVERED;
    let record = AttemptRecord {
        instant: now,
        duration_millis: 12,
        result: match well {
            true => AttemptResult::Success,
            false => AttemptResult::Failure,
        },
        status_code: Some(if well { 200 } else { 503 }),
        class: (!well).then(|| "http".to_owned()),
        message: (!well).then(|| "the receiver answered 503".to_owned()),
        response_excerpt: None,
    };
    let settle =
        |claimed: Claimed| Settlement::of(&claimed, now, Some(record.clone()), disposition);
    let batch: Vec<Settlement> = claim(db, now).into_iter().map(settle).collect();
    write(db, move |connection| {
        crate::settlement::settle(connection, &batch, &destination_policy())
    });
}

fn details(db: &Db, id: DeliveryId) -> Details {
    write(db, move |c| Details::find(c, id)).unwrap()
}

#[track_caller]
fn told(db: &Db, id: DeliveryId, now: UnixMillis, standing: DeliveryStatus, words: &[&str]) {
    let details = details(db, id);
    assert_eq!(details.standing(now), standing);
    let explanation = details.explanation(now);
    for word in words {
        assert!(explanation.contains(word), "no `{word}` in: {explanation}");
    }
}

/// Something about a destination that only the drain writes.
fn set_destination(
    db: &Db,
    webhook: WebhookId,
    circuit: &'static str,
    until: [Option<UnixMillis>; 3],
) {
    let [throttled, circuit_until, disabled] = until;
    write(db, move |connection| {
        let destination = crate::id::DestinationId::from(webhook);
        diesel::delete(destination_states::table.find(destination)).execute(connection)?;
        diesel::insert_into(destination_states::table)
            .values((
                destination_states::destination.eq(destination),
                destination_states::failures.eq(0),
                destination_states::throttled_until.eq(throttled),
                destination_states::throttles.eq(0),
                destination_states::circuit.eq(circuit),
                destination_states::circuit_until.eq(circuit_until),
                destination_states::circuit_opened.eq(0),
                destination_states::theoretical_arrival_micros.eq(0),
                destination_states::disabled_instant.eq(disabled),
                destination_states::disabled_reason.eq(disabled.map(|_| "gone")),
            ))
            .execute(connection)
    });
}

fn a_delivery_says_why_it_is_where_it_is(db: &Db) {
    let now = UnixMillis::now();
    let later = now.plus(5 * SECOND);
    let webhook = add_webhook(db);
    let id = owe(db, webhook, None, now);
    told(
        db,
        id,
        now,
        DeliveryStatus::Pending,
        &["new and due", "attempt 1"],
    );
    attempt(db, now, Disposition::Retry { at: later });
    let words = [
        "attempt 1 failed (http 503: the receiver answered 503)",
        "attempt 2 comes at",
    ];
    told(db, id, now, DeliveryStatus::Pending, &words);
    assert_eq!(details(db, id).next_instant(now), Some(later));
    told(
        db,
        id,
        later,
        DeliveryStatus::Pending,
        &["attempt 2 is due", "next free worker"],
    );
    let claimed = claim(db, later);
    assert_eq!(claimed.len(), 1);
    told(
        db,
        id,
        later,
        DeliveryStatus::Leased,
        &["worker worker-1 has it", "attempt 2"],
    );
    let lapsed = later.plus(60 * SECOND);
    told(
        db,
        id,
        lapsed,
        DeliveryStatus::Pending,
        &["said nothing until", "attempt 3"],
    );
    attempt(db, lapsed, EXHAUSTED);
    let words = ["given up", "after 3 attempts", "http 503", "/resend"];
    told(db, id, lapsed, DeliveryStatus::Exhausted, &words);
    let numbers: Vec<i32> = details(db, id).attempts.iter().map(|a| a.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

fn the_state_of_the_destination_is_told(db: &Db) {
    let now = UnixMillis::now();
    let later = now.plus(30 * SECOND);
    let webhook = add_webhook(db);
    let id = owe(db, webhook, None, now);
    set_destination(db, webhook, "Closed", [Some(later), None, None]);
    told(
        db,
        id,
        now,
        DeliveryStatus::Pending,
        &["overloaded", "costs no attempt"],
    );
    assert_eq!(details(db, id).next_instant(now), Some(later));
    assert_eq!(details(db, id).throttled_until(now), Some(later));
    set_destination(db, webhook, "Open", [None, Some(later), None]);
    told(db, id, now, DeliveryStatus::Pending, &["circuit is open"]);
    assert_eq!(details(db, id).circuit(), Some("Open"));
    set_destination(db, webhook, "HalfOpen", [None, Some(later), None]);
    told(
        db,
        id,
        now,
        DeliveryStatus::Pending,
        &["being tried with one delivery"],
    );
    set_destination(db, webhook, "Closed", [None, None, Some(now)]);
    let enable = format!("/api/webhook/{webhook}/enable");
    told(
        db,
        id,
        now,
        DeliveryStatus::Held,
        &["answered 410", &enable],
    );
    assert_eq!(details(db, id).next_instant(now), None);
    write(db, move |c| {
        crate::model::webhook::Webhook::delete(c, webhook)
    });
    set_destination(db, webhook, "Closed", [None, None, None]);
    told(
        db,
        id,
        now,
        DeliveryStatus::Pending,
        &["webhook was deleted"],
    );
}

fn search(db: &Db, search: DeliverySearch) -> Vec<DeliveryId> {
    let now = UnixMillis::now();
    let found = write(db, move |c| search.run(c, PAGE, now));
    assert_eq!(found.total, i64::try_from(found.ids.len()).unwrap());
    found.ids
}

/// Two for the first webhook, one delivered and one given up, and one for the second that is
/// pending. The first and the last are of the same action.
struct Three {
    now: UnixMillis,
    webhooks: [WebhookId; 2],
    action: ActionLogId,
    ids: [DeliveryId; 3],
}

impl Three {
    fn new(db: &Db) -> Self {
        let now = UnixMillis::now();
        let (one, two) = (add_webhook(db), add_webhook(db));
        let action = ActionLogId::sequential();
        let first = owe(db, one, Some(action), now.minus(10 * SECOND));
        attempt(db, now, DELIVERED);
        let second = owe(db, one, None, now.minus(5 * SECOND));
        attempt(db, now, EXHAUSTED);
        let third = owe(db, two, Some(action), now);
        Self {
            now,
            webhooks: [one, two],
            action,
            ids: [first, second, third],
        }
    }
}

fn deliveries_are_found_by_what_they_are(db: &Db) {
    let three = Three::new(db);
    let [first, second, third] = three.ids;
    let all = DeliverySearch::default;
    assert_eq!(search(db, all()), [third, second, first]);
    let upwards = DeliverySearch {
        ascending: true,
        ..all()
    };
    assert_eq!(search(db, upwards), [first, second, third]);
    let to = |webhook| DeliverySearch {
        webhook: Some(webhook),
        ..all()
    };
    assert_eq!(search(db, to(three.webhooks[0])), [second, first]);
    assert_eq!(search(db, to(three.webhooks[1])), [third]);
    let of = DeliverySearch {
        action: Some(three.action),
        ..all()
    };
    assert_eq!(search(db, of), [third, first]);
    let Payload::Webhook(event) = details(db, second).delivery.payload else {
        panic!("an event is delivered");
    };
    let of = DeliverySearch {
        event: Some(event),
        ..all()
    };
    assert_eq!(search(db, of), [second]);
    let mails = DeliverySearch {
        kind: Some(Kind::Email),
        ..all()
    };
    assert!(search(db, mails).is_empty());
}

fn deliveries_are_found_wherever_they_are(db: &Db) {
    let three = Three::new(db);
    let [first, second, third] = three.ids;
    let standing = |state| DeliverySearch {
        state: Some(state),
        ..DeliverySearch::default()
    };
    for (state, expected) in [
        (DeliveryStatus::Delivered, vec![first]),
        (DeliveryStatus::Exhausted, vec![second]),
        (DeliveryStatus::Pending, vec![third]),
        (DeliveryStatus::Leased, vec![]),
        (DeliveryStatus::Held, vec![]),
        (DeliveryStatus::Canceled, vec![]),
    ] {
        assert_eq!(search(db, standing(state)), expected, "{state}");
    }
    let middle = DeliverySearch {
        start: Some(three.now.minus(6 * SECOND)),
        end: Some(three.now.minus(SECOND)),
        ..DeliverySearch::default()
    };
    assert_eq!(search(db, middle), [second]);
    set_destination(
        db,
        three.webhooks[1],
        "Closed",
        [None, None, Some(three.now)],
    );
    assert_eq!(search(db, standing(DeliveryStatus::Held)), [third]);
    assert!(search(db, standing(DeliveryStatus::Pending)).is_empty());
}

fn pages_are_cut_out_of_both_tables(db: &Db) {
    let now = UnixMillis::now();
    let webhook = add_webhook(db);
    let mut ids: Vec<DeliveryId> = (0..3).map(|_| owe(db, webhook, None, now)).collect();
    attempt(db, now, DELIVERED);
    ids.extend((0..3).map(|_| owe(db, webhook, None, now)));
    ids.reverse();
    let window = Window {
        start: 2,
        results: 2,
    };
    let everything = DeliverySearch::default();
    let found = write(db, move |c| everything.run(c, window, now));
    assert_eq!((found.total, found.ids.as_slice()), (6, &ids[2..4]));
}

both_databases!(
    a_delivery_says_why_it_is_where_it_is,
    the_state_of_the_destination_is_told,
    deliveries_are_found_by_what_they_are,
    deliveries_are_found_wherever_they_are,
    pages_are_cut_out_of_both_tables,
);
