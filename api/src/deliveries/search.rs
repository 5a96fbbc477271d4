//! `GET` and `POST /api/delivery/search`

use beadle_common::model::delivery::{Delivery, DeliverySearch, Details, MOST_FOUND};
use beadle_common::outbox::Kind;
use serde_json::{Value, json};

use super::view;
use crate::answer::{self, Answer};
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::Object;
use crate::search::{Criteria, Order, Page};

/// The newest first, or the oldest: every other order would have to read all there is.
pub(super) const FIELDS: [&str; 1] = ["insertInstant"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

pub(super) async fn search_deliveries(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let now = call.now();
    let (search, window) = criteria.read(|criteria| {
        let window = Page::read(criteria).window();
        if window.start > MOST_FOUND {
            criteria.errors().refuse_because(
                Prefix::Invalid,
                &criteria.path("startRow"),
                format!(
                    "pages reach {MOST_FOUND} results far, narrow the search by `start` and `end`"
                ),
            );
        }
        Ok((read(criteria), window))
    })?;
    let (total, found) = call
        .state()
        .read(move |connection| {
            let (total, ids) = search.run(connection, window, now)?;
            let deliveries = Delivery::load(connection, &ids)?;
            Ok((total, Details::of(connection, deliveries)?))
        })
        .await?;
    let deliveries = found.iter().map(|details| view::delivery(details, now));
    Ok(answer::json(&json!({
        "deliveries": deliveries.collect::<Value>(),
        "total": total,
    })))
}

fn read(criteria: &Object<'_>) -> DeliverySearch {
    let order = Order::read(criteria, &FIELDS, DEFAULT_ORDER).sorts();
    DeliverySearch {
        webhook: criteria.id("webhookId"),
        event: criteria.id("eventId"),
        action: criteria.id("actionId"),
        user: criteria.id("userId"),
        kind: kind(criteria),
        state: criteria.choice("state"),
        start: criteria.instant("start"),
        end: criteria.instant("end"),
        ascending: order.iter().any(|sort| !sort.descending),
    }
}

/// Reads `kind`.
pub(super) fn kind(criteria: &Object<'_>) -> Option<Kind> {
    let text = criteria.text("kind")?;
    let found = [Kind::Webhook, Kind::Email]
        .into_iter()
        .find(|kind| view::kind(*kind) == text);
    if found.is_none() {
        criteria.refuse(Prefix::InvalidJson, "kind");
    }
    found
}
