//! `GET /api/user-action-reason[/{userActionReasonId}]`

use beadle_common::db::AnyConnection;
use beadle_common::id::ReasonId;
use beadle_common::model::reason::Reason;
use beadle_common::view::View;

use super::{WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};

pub(super) async fn retrieve_reasons(call: Call) -> Answer {
    let id: Option<ReasonId> = call.id()?;
    let Some(id) = id else {
        let find = |connection: &mut AnyConnection| Ok(Reason::ids_by_text(connection)?);
        return listing::answer(&call, "userActionReasons", Reasons, find).await;
    };
    let reason = call
        .state()
        .read(move |connection| Ok(Reason::find(connection, id)?))
        .await?;
    let reason = reason.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(WRAPPER, view::reason(&reason)))
}

/// Reasons.
#[derive(Clone)]
struct Reasons;

impl Rows for Reasons {
    type Id = ReasonId;
    type Row = Reason;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[ReasonId],
    ) -> Result<Vec<(ReasonId, Reason)>, ApiError> {
        let rows = Reason::load(connection, ids)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn show(&self, row: &Reason) -> Result<View, ApiError> {
        Ok(view::reason(row))
    }
}
