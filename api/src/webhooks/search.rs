//! `GET` and `POST /api/webhook/search`

use beadle_common::model::listing::WebhookSearch;
use beadle_common::model::webhook::Webhook;

use super::retrieve::Webhooks;
use crate::answer::Answer;
use crate::extract::Call;
use crate::listing;
use crate::search::{Criteria, read_order, read_window, text_criterion};

pub(super) const FIELDS: [&str; 4] = ["description", "id", "insertInstant", "url"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC, id DESC";

pub(super) async fn search_webhooks(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (search, sorts, window) = criteria.read(|criteria| {
        let search = WebhookSearch {
            description: text_criterion(criteria, "description"),
            url: text_criterion(criteria, "url"),
            tenant: criteria.id("tenantId"),
        };
        let sorts = read_order(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((search, sorts, read_window(criteria)))
    })?;
    let rows = Webhooks::of(&call);
    listing::answer(&call, "webhooks", rows, move |connection| {
        Ok(Webhook::search(connection, &search, &sorts, window)?)
    })
    .await
}
