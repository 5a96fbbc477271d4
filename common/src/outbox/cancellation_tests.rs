//! Promises of ends that come from outside, on both databases.

use diesel::prelude::*;

use super::*;
use crate::db::Db;
use crate::id::{DeliveryId, DestinationId, EventId, WebhookId};
use crate::schema::{deliveries, destination_states as states, outbox as rows};
use crate::test_support::{both_databases, claim_request, write};
use crate::unix_millis::UnixMillis;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

fn owe(db: &Db, destination: DestinationId, payload: Payload, count: usize) {
    write(db, move |c| {
        (0..count).try_for_each(|_| {
            let delivery = NewDelivery {
                id: DeliveryId::sequential(),
                destination,
                payload: payload.clone(),
                due_at: NOW,
                insert_instant: NOW,
            };
            insert(c, &delivery)
        })
    });
}

fn claim_some(db: &Db, kind: Kind) -> Vec<Claimed> {
    as_worker_tests::claim(db, claim_request(kind, NOW, 3))
}

fn disable(db: &Db, destination: DestinationId) {
    let state = DestinationState {
        failures: 3,
        failing_since: Some(NOW),
        disabled_instant: Some(NOW),
        disabled_reason: Some(DisabledReason::Failing),
        ..DestinationState::healthy(destination)
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
    let destination = DestinationId::from(webhook);
    owe(db, destination, Payload::Webhook(EventId::sequential()), 2);
    assert!(!write(db, move |c| enable(c, webhook)));
    disable(db, destination);
    assert!(claim_some(db, Kind::Webhook).is_empty());
    assert!(write(db, move |c| enable(c, webhook)));
    let state = write(db, move |c| destination_state(c, destination));
    assert_eq!(state, DestinationState::healthy(destination));
    assert_eq!(claim_some(db, Kind::Webhook).len(), 2);
}

fn a_webhook_that_is_deleted_takes_its_backlog_along(db: &Db) {
    let (webhook, other) = (WebhookId::random(), DestinationId::random());
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

both_databases!(
    enabling_releases_what_is_held,
    a_webhook_that_is_deleted_takes_its_backlog_along,
);
