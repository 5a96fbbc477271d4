//! `GET` and `POST /api/user/action/search`: the logs of all users, for asking who did what.

use beadle_common::model::action_search::ActionSearch;
use beadle_common::unix_millis::UnixMillis;

use super::retrieve::Logs;
use crate::answer::Answer;
use crate::extract::Call;
use crate::listing;
use crate::search::{Criteria, count, flag, read_order, read_window};

pub(super) const FIELDS: [&str; 5] = ["expiry", "id", "insertInstant", "lastUpdateInstant", "name"];
pub(super) const DEFAULT_ORDER: &str = "insertInstant DESC";

pub(super) async fn search_actions(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (tenant, now) = (call.scope(), call.now());
    let search = criteria.read(|criteria| {
        Ok(ActionSearch {
            tenant,
            actionee: criteria.id("userId"),
            actioner: criteria.id("actionerUserId"),
            user_action: criteria.id("userActionId"),
            active: flag(criteria, "active"),
            start: count(criteria, "start").map(UnixMillis::from_millis),
            end: count(criteria, "end").map(UnixMillis::from_millis),
            order: read_order(criteria, &FIELDS, DEFAULT_ORDER),
            window: read_window(criteria),
            now,
        })
    })?;
    listing::answer(&call, "actions", Logs, move |connection| {
        Ok(search.run(connection)?)
    })
    .await
}
