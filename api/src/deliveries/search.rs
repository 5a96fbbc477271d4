//! `GET` and `POST /api/delivery/search`

use beadle_common::db::AnyConnection;
use beadle_common::deliveries::{DeliverySearch, Details, MOST_FOUND};
use beadle_common::id::DeliveryId;
use beadle_common::outbox::{Delivery, Kind};
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::View;

use super::view;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::Object;
use crate::listing::{self, Rows};
use crate::search::{Criteria, read_order, read_window};

/// The newest first, or the oldest: every other order would have to read all there is.
pub(super) const FIELDS: [&str; 1] = ["insertInstant"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

pub(super) async fn search_deliveries(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let now = call.now();
    let (search, window) = criteria.read(|criteria| {
        let window = read_window(criteria);
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
    listing::answer(&call, "deliveries", Deliveries { now }, move |connection| {
        Ok(search.run(connection, window, now)?)
    })
    .await
}

#[derive(Clone)]
struct Deliveries {
    now: UnixMillis,
}

impl Rows for Deliveries {
    type Id = DeliveryId;
    type Row = Details;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[DeliveryId],
    ) -> Result<Vec<(DeliveryId, Details)>, ApiError> {
        let deliveries = Delivery::load(connection, ids)?;
        let details = Details::of(connection, deliveries)?.into_iter();
        Ok(details
            .map(|details| (details.delivery.id, details))
            .collect())
    }

    fn show(&self, details: &Details) -> Result<View, ApiError> {
        Ok(view::delivery(details, self.now))
    }
}

fn read(criteria: &Object<'_>) -> DeliverySearch {
    let order = read_order(criteria, &FIELDS, DEFAULT_ORDER);
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
