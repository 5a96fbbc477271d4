//! `POST /api/delivery/{deliveryId}/resend`

use beadle_common::db::AnyConnection;
use beadle_common::deliveries::Details;
use beadle_common::id::DeliveryId;
use beadle_common::outbox::{self, Missing, Resent};
use beadle_common::unix_millis::UnixMillis;

use super::{ENDPOINT, WRAPPER, view};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::{Errors, Prefix};
use crate::extract::Call;

/// Once more, now, under the same Id. While a worker has it, that is a conflict.
pub(super) async fn resend_delivery(call: Call) -> Answer {
    let id: DeliveryId = call.required_id()?;
    let (state, now) = (call.state(), call.now());
    let answer = call
        .commit(move |connection| {
            let details = resend(connection, id, now)?;
            Ok(Reply::wrapped(WRAPPER, view::delivery(&details, now)))
        })
        .await?;
    state.wake.wake();
    Ok(answer)
}

fn resend(
    connection: &mut AnyConnection,
    id: DeliveryId,
    now: UnixMillis,
) -> Result<Details, ApiError> {
    match outbox::resend(connection, id, now)? {
        Resent::Due => Details::find(connection, id)?.ok_or(ApiError::Conflict),
        Resent::Leased => Err(ApiError::Conflict),
        Resent::Gone(missing) => Err(gone(missing)),
        Resent::Unknown => Err(ApiError::NotFound),
    }
}

fn gone(missing: Missing) -> ApiError {
    let why = match missing {
        Missing::Webhook => "its webhook was deleted, so nobody is there to get it",
        Missing::Event => "its event was pruned, so there is nothing left to send",
        Missing::Occurrence => "what its event tells of did not happen, so nobody must get it",
        Missing::Email => "its email was pruned, so there is nothing left to send",
    };
    let mut errors = Errors::default();
    errors.add(Prefix::Invalid, ENDPOINT.id, why.to_owned());
    ApiError::BadRequest(errors)
}
