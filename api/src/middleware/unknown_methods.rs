//! Refuses methods that HTTP does not know.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use crate::methods::KNOWN_METHODS;

/// `501` for methods that HTTP does not know. Known ones without a route are 405.
pub(crate) async fn refuse_unknown_methods(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if KNOWN_METHODS.contains(request.method()) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let response = HttpResponse::NotImplemented().finish();
    Ok(request.into_response(response).map_into_right_body())
}
