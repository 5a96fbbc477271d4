//! `GET /api/delivery/{deliveryId}`

use beadle_common::deliveries::Details;
use beadle_common::id::DeliveryId;

use super::{WRAPPER, view};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;

pub(super) async fn retrieve_delivery(call: Call) -> Answer {
    let id: DeliveryId = call.required_id()?;
    let details = call
        .state()
        .read(move |connection| Ok(Details::find(connection, id)?))
        .await?;
    let details = details.ok_or(ApiError::NotFound)?;
    Ok(answer::wrapped(
        WRAPPER,
        view::delivery(&details, call.now()),
    ))
}
