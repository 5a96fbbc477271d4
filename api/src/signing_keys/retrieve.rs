//! `GET /api/key[/{keyId}]`

use beadle_common::db::AnyConnection;
use beadle_common::id::SigningKeyId;
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::view::View;

use super::{WRAPPER, view, visible};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};

pub(super) async fn retrieve_keys(call: Call) -> Answer {
    let id: Option<SigningKeyId> = call.id()?;
    let scope = call.scope();
    let Some(id) = id else {
        let find = move |connection: &mut AnyConnection| {
            Ok(SigningKeyRow::ids_by_name(connection, scope)?)
        };
        return listing::answer(&call, "keys", Keys, find).await;
    };
    let key = call
        .state()
        .read(move |connection| Ok(SigningKeyRow::find(connection, id)?))
        .await?;
    Ok(answer::wrapped(WRAPPER, view::key(&visible(key, scope)?)))
}

/// Keys, without what is secret.
#[derive(Clone)]
struct Keys;

impl Rows for Keys {
    type Id = SigningKeyId;
    type Row = SigningKeyRow;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[SigningKeyId],
    ) -> Result<Vec<(SigningKeyId, SigningKeyRow)>, ApiError> {
        let rows = SigningKeyRow::load(connection, ids)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn show(&self, row: &SigningKeyRow) -> Result<View, ApiError> {
        Ok(view::key(row))
    }
}
