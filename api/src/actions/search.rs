//! `GET` and `POST /api/user/action/search`: the logs of all users, for asking who did what.

use beadle_common::instant::Instant;
use beadle_common::model::action_search::{ActionField, ActionSearch};
use beadle_common::model::search::Sort;
use serde_json::json;

use super::retrieve::Found;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::search::{Criteria, Order, Page, count, flag, names};

/// What logs can be sorted by.
const FIELDS: [(&str, ActionField); 5] = [
    ("expiry", ActionField::Expiry),
    ("id", ActionField::Id),
    ("insertInstant", ActionField::InsertInstant),
    ("lastUpdateInstant", ActionField::LastUpdateInstant),
    ("name", ActionField::Name),
];

/// Their names.
pub(super) const NAMES: [&str; FIELDS.len()] = names(&FIELDS);
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

pub(super) async fn search_actions(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (tenant, now) = (call.scope(), call.now());
    let search = criteria.read(|criteria| {
        let page = Page::read(criteria);
        let order = Order::read(criteria, &NAMES, DEFAULT_ORDER);
        Ok(ActionSearch {
            tenant,
            actionee: criteria.id("userId"),
            actioner: criteria.id("actionerUserId"),
            user_action: criteria.id("userActionId"),
            active: flag(criteria, "active"),
            start: count(criteria, "start").map(Instant::from_millis),
            end: count(criteria, "end").map(Instant::from_millis),
            order: fields(&order),
            window: page.window(),
            now,
        })
    })?;
    let (found, total) = call
        .state()
        .read(move |connection| {
            let (logs, total) = search.run(connection)?;
            Ok((Found::load(connection, logs)?, total))
        })
        .await?;
    let actions = serde_json::to_value(found.views()).map_err(ApiError::internal)?;
    Ok(answer::json(&json!({"actions": actions, "total": total})))
}

fn fields(order: &Order) -> Vec<(ActionField, bool)> {
    let named = |sort: Sort| {
        let field = FIELDS.iter().find(|(name, _)| *name == sort.field)?;
        Some((field.1, sort.descending))
    };
    order.sorts().into_iter().filter_map(named).collect()
}
