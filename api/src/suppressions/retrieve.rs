//! `GET /api/email/suppression`

use beadle_common::model::suppression::Suppression;
use serde_json::{Value, json};

use super::view;
use crate::answer::{self, Answer};
use crate::extract::Call;
use crate::search::{Criteria, Page};

/// A page of what is suppressed now, the newest first.
pub(super) async fn retrieve_suppressions(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let page = criteria.read(|criteria| Ok(Page::read(criteria)))?;
    let (scope, now) = (call.scope(), call.now());
    let (total, found) = call
        .state()
        .read(move |connection| Ok(Suppression::page(connection, scope, now, page.window())?))
        .await?;
    let suppressions: Value = found.iter().map(view).collect();
    Ok(answer::json(
        &json!({"suppressions": suppressions, "total": total}),
    ))
}
