//! `GET /api/email/suppression[/{address}]`

use beadle_common::db::AnyConnection;
use beadle_common::model::suppression::Suppression;
use beadle_common::view::View;
use serde_json::json;

use super::{address, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::search::{Criteria, read_window};

/// A page of what is suppressed now, the newest first; or one address.
pub(super) async fn retrieve_suppressions(mut call: Call) -> Answer {
    if let Some(address) = address(&call).await? {
        return retrieve_suppression(&call, address).await;
    }
    let criteria = Criteria::of(&mut call).await?;
    let window = criteria.read(|criteria| Ok(read_window(criteria)))?;
    let (scope, now) = (call.scope(), call.now());
    let state = call.state();
    let find = move |connection: &mut AnyConnection| {
        Ok(Suppression::page(connection, scope, now, window)?)
    };
    let (total, found) = state.searches.search(&state.db, find).await?;
    let suppressions: Vec<View> = found.iter().map(view).collect();
    Ok(answer::json(
        &json!({"suppressions": suppressions, "total": total}),
    ))
}

/// Where several tenants suppress the address, the one that did so last.
async fn retrieve_suppression(call: &Call, address: String) -> Answer {
    let (scope, now) = (call.scope(), call.now());
    let found = call
        .state()
        .read(move |connection| {
            let found = Suppression::of_addresses(connection, [address.as_str()], now)?;
            let in_scope = found
                .into_iter()
                .filter(|found| scope.is_none_or(|tenant| found.tenant_id == tenant));
            Ok(in_scope.max_by_key(|found| found.insert_instant))
        })
        .await?;
    let found = found.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped("suppression", view(&found)))
}
