//! Promises of ends that come from outside, on both databases.

use diesel::prelude::*;

use super::*;
use crate::db::{Db, Json};
use crate::id::{DeliveryId, EmailId, EventId, LaneId, TenantId, UserId, WebhookId};
use crate::instant::Instant;
use crate::model::email::{EmailRow, Mailbox};
use crate::model::event::EventRow;
use crate::schema::{deliveries, emails, events, lane_states as states, outbox as rows};
use crate::test_support::{both_databases, claim_request, write};

const NOW: Instant = Instant::from_millis(1_750_000_000_000);

fn owe(db: &Db, lane: LaneId, payload: Payload, count: usize) {
    write(db, move |c| {
        (0..count).try_for_each(|_| {
            let delivery = NewDelivery {
                id: DeliveryId::sequential(),
                lane,
                payload: payload.clone(),
                due_at: NOW,
                insert_instant: NOW,
            };
            insert(c, &delivery)
        })
    });
}

fn claim_some(db: &Db, kind: Kind) -> Vec<Claimed> {
    as_worker::claim(db, claim_request(kind, NOW, 3))
}

fn disable(db: &Db, lane: LaneId) {
    let state = LaneState {
        failures: 3,
        failing_since: Some(NOW),
        disabled_instant: Some(NOW),
        disabled_reason: Some(DisabledReason::Failing),
        ..LaneState::healthy(lane)
    };
    write(db, move |c| state.save(c));
}

fn counts(db: &Db) -> (i64, i64) {
    write(db, |c| {
        Ok((
            rows::table.count().get_result(c)?,
            deliveries::table
                .filter(deliveries::state.eq(DeliveryState::Canceled))
                .count()
                .get_result(c)?,
        ))
    })
}

fn enabling_releases_what_is_held(db: &Db) {
    let webhook = WebhookId::random();
    let lane = LaneId::from(webhook);
    owe(db, lane, Payload::Webhook(EventId::sequential()), 2);
    assert!(!write(db, move |c| enable(c, webhook)));
    disable(db, lane);
    assert!(claim_some(db, Kind::Webhook).is_empty());
    assert!(write(db, move |c| enable(c, webhook)));
    let state = write(db, move |c| lane_state(c, lane));
    assert_eq!(state, LaneState::healthy(lane));
    assert_eq!(claim_some(db, Kind::Webhook).len(), 2);
}

fn a_webhook_that_is_deleted_takes_its_backlog_along(db: &Db) {
    let (webhook, other) = (WebhookId::random(), LaneId::random());
    let event = || Payload::Webhook(EventId::sequential());
    owe(db, webhook.into(), event(), 3);
    assert_eq!(claim_some(db, Kind::Webhook).len(), 3);
    owe(db, webhook.into(), event(), 1500);
    owe(db, other, event(), 1);
    disable(db, webhook.into());
    assert!(write(db, move |c| end_of_webhook(c, webhook, NOW)));
    assert!(!write(db, move |c| end_of_webhook(c, webhook, NOW)));
    // What is under way is left to whoever has it.
    assert_eq!(counts(db), (4, 1500));
    assert_eq!(write(db, |c| states::table.count().get_result::<i64>(c)), 0);
}

fn event(db: &Db) -> EventId {
    let row = EventRow {
        id: EventId::sequential(),
        event_type: "user.action".to_owned(),
        tenant_id: TenantId::random(),
        action_log_id: None,
        linked_object_id: None,
        body: "{}".to_owned(),
        insert_instant: NOW,
    };
    let id = row.id;
    write(db, move |c| row.insert(c));
    id
}

fn mail(db: &Db, user: UserId) -> EmailId {
    let id = EmailId::sequential();
    let row = EmailRow {
        id,
        tenant_id: TenantId::random(),
        action_log_id: None,
        event_id: None,
        user_id: Some(user),
        template_id: None,
        template_version: 0,
        message_id: format!("<{id}@hooli.example>"),
        from_address: "a@hooli.example".to_owned(),
        from_display: None,
        reply_to: None,
        to_addresses: Json(vec![Mailbox {
            address: "richard@hooli.example".to_owned(),
            display: None,
        }]),
        cc_addresses: Json(Vec::new()),
        bcc_addresses: Json(Vec::new()),
        subject: "Secret".to_owned(),
        html: String::new(),
        text: String::new(),
        headers: Json(Vec::new()),
        subject_locale: None,
        from_name_locale: None,
        html_locale: None,
        text_locale: None,
        preferred_languages: Json(Vec::new()),
        insert_instant: NOW,
    };
    write(db, move |c| row.insert(c));
    id
}

fn a_user_who_is_removed_leaves_no_text_behind(db: &Db) {
    let (user, other) = (UserId::random(), UserId::random());
    let (his, others) = (mail(db, user), mail(db, other));
    let lane = LaneId::random();
    for email in [his, others] {
        owe(
            db,
            lane,
            Payload::Email(email, "x@hooli.example".to_owned()),
            1,
        );
    }
    let event = event(db);
    owe(db, lane, Payload::Webhook(event), 1);
    write(db, move |c| end_of_user(c, user, NOW));
    assert_eq!(counts(db), (2, 1));
    let left: Vec<EmailId> = write(db, |c| emails::table.select(emails::id).load(c));
    assert_eq!(left, [others]);
    assert_eq!(write(db, |c| events::table.count().get_result::<i64>(c)), 1);
    let recipients: Vec<Option<String>> = write(db, |c| {
        deliveries::table.select(deliveries::recipient).load(c)
    });
    assert_eq!(recipients, [None]);
}

both_databases!(
    enabling_releases_what_is_held,
    a_webhook_that_is_deleted_takes_its_backlog_along,
    a_user_who_is_removed_leaves_no_text_behind,
);
