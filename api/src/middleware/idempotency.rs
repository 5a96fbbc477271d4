//! What stands around an endpoint: before the handler the reservation, after it the
//! answer, or the release.

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::stream;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::{Endpoint, TENANT_HEADER, identify};
use crate::idempotency::{Admission, Reservation};
use crate::input::Incoming;
use crate::state::State;

const HEADER: &str = "Idempotency-Key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Longer keys carry something else than a name.
const LONGEST_KEY: usize = 255;

/// Lets a POST with a key through once, and answers it from then on.
pub(crate) async fn idempotency_middleware(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method() != Method::POST || !request.headers().contains_key(HEADER) {
        return next.call(request).await;
    }
    let Some(state) = request.app_data::<Data<State>>().cloned() else {
        return next.call(request).await;
    };
    let reservation = match admit(&mut request, &state).await {
        Ok(None) => return next.call(request).await,
        Ok(Some(Admission::First(reservation))) => reservation,
        Ok(Some(Admission::Again(reply))) => {
            let mut response = HttpResponse::from(reply);
            let replayed = HeaderValue::from_static("true");
            response.headers_mut().insert(REPLAYED, replayed);
            return Ok(request.into_response(response));
        }
        Err(error) => return Ok(request.into_response(error.error_response())),
    };
    request.extensions_mut().insert(reservation.clone());
    let response = next.call(request).await?;
    conclude(&state, &reservation, response).await
}

/// Reserves the request. None: its caller is unknown, and the handler will say so.
async fn admit(request: &mut ServiceRequest, state: &State) -> Result<Option<Admission>, ApiError> {
    let (request, payload) = request.parts_mut();
    let Some(endpoint) = request.app_data::<Endpoint>().copied() else {
        return Ok(None);
    };
    let now = (state.clock)();
    let caller = match identify(request, state, endpoint, now).await {
        Ok((caller, _)) => caller,
        Err(ApiError::Unauthorized | ApiError::BadRequest(_)) => return Ok(None),
        // Whoever asked for once must not get it as often as they ask.
        Err(error) => return Err(error),
    };
    let key = read_key(request)?;
    let limit = state.settings.body_limit;
    let mut incoming = Incoming::new(request, payload.take(), limit);
    let body = incoming.bytes().await?.freeze();
    *payload = again(body.clone());
    let tenant = request.headers().get(TENANT_HEADER);
    let owner = caller.key.uuid();
    let scope: [&[u8]; 5] = [
        owner.as_bytes(),
        request.method().as_str().as_bytes(),
        request.path().as_bytes(),
        tenant.map_or(b"", HeaderValue::as_bytes),
        key.as_bytes(),
    ];
    let content: [&[u8]; 2] = [request.query_string().as_bytes(), &body];
    // The time that is given begins when the body is there.
    Reservation::make(state, &scope, &content, (state.clock)())
        .await
        .map(Some)
}

fn read_key(request: &HttpRequest) -> Result<String, ApiError> {
    let refuse = |prefix| Err(ApiError::field(prefix, HEADER));
    let mut values = request.headers().get_all(HEADER);
    let (Some(value), None) = (values.next(), values.next()) else {
        return refuse(Prefix::Invalid);
    };
    let Ok(key) = value.to_str().map(str::trim) else {
        return refuse(Prefix::Invalid);
    };
    match key.len() {
        0 => refuse(Prefix::Blank),
        1..=LONGEST_KEY => Ok(key.to_owned()),
        _ => refuse(Prefix::TooLong),
    }
}

/// The body, to be read once more.
fn again(body: Bytes) -> Payload {
    let chunk = stream::once(async move { Ok::<_, PayloadError>(body) });
    Payload::Stream {
        payload: Box::pin(chunk),
    }
}

/// Frees the key unless the handler has stored its answer.
async fn conclude(
    state: &State,
    reservation: &Reservation,
    response: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_kept = response.status().is_success() && reservation.is_stored();
    if !is_kept && let Err(error) = reservation.release(state).await {
        tracing::warn!("an idempotency key stays reserved until it lapses: {error}");
    }
    Ok(response)
}
