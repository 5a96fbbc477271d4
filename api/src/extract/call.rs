//! [`Call`]: an authenticated request.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use beadle_common::db::AnyConnection;
use beadle_common::id::{ApiKeyId, TenantId};
use beadle_common::instant::Instant;
use beadle_common::model::api_key::ApiKey;
use beadle_common::model::tenant::Tenant;
use uuid::Uuid;

use super::access::Access;
use super::endpoint::Endpoint;
use super::lookup::Claim;
use super::origin::Origin;
use super::query::Query;
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::{General, Prefix};
use crate::idempotency::Reservation;
use crate::input::{Body, parse_id, read_body};
use crate::state::State;

/// Names the tenant that a request is limited to.
pub(crate) const TENANT_HEADER: &str = "X-FusionAuth-TenantId";

/// Whoever holds the key of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key.
    pub key: ApiKeyId,
    /// The only tenant it may act for.
    pub lock: Option<TenantId>,
}

/// A request that carries a valid key.
pub struct Call {
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
    caller: Caller,
    scope: Option<TenantId>,
    query: Query,
    endpoint: Endpoint,
    reservation: Option<Reservation>,
    now: Instant,
}

impl Call {
    /// What handlers share.
    #[must_use]
    pub fn state(&self) -> Data<State> {
        self.state.clone()
    }

    /// Who is asking.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The only tenant to look at: from the header, or from the key.
    #[must_use]
    pub fn scope(&self) -> Option<TenantId> {
        self.scope
    }

    /// When the request was taken up: the one instant of everything that it does.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The parameters behind the question mark.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The request itself, for its headers and addresses.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::of(&self.request, &self.state.settings.trusted_proxies)
    }

    /// The Id in the path, if there is one.
    ///
    /// # Errors
    /// `[couldNotConvert]` if it is no UUID.
    pub fn id<T: From<Uuid>>(&self) -> Result<Option<T>, ApiError> {
        let name = self.endpoint.id;
        match self.request.match_info().get(name) {
            None | Some("") => Ok(None),
            Some(text) => match parse_id(text) {
                Some(id) => Ok(Some(id)),
                None => Err(ApiError::field(Prefix::CouldNotConvert, name)),
            },
        }
    }

    /// The Id in the path.
    ///
    /// # Errors
    /// `[couldNotConvert]` if it is no UUID, `[missing]` if there is none.
    pub fn required_id<T: From<Uuid>>(&self) -> Result<T, ApiError> {
        self.id()?
            .ok_or_else(|| ApiError::field(Prefix::Missing, self.endpoint.id))
    }

    /// Whether a PUT is only about reactivating what a DELETE deactivated.
    ///
    /// # Errors
    /// `[couldNotConvert]` if the parameter is neither `true` nor `false`.
    pub fn asks_to_reactivate(&self) -> Result<bool, ApiError> {
        let asked = self.query.flag("reactivate")?.unwrap_or(false);
        Ok(asked && self.request.method() == Method::PUT)
    }

    /// Whether anything follows the headers, for requests that need no body.
    #[must_use]
    pub fn has_body(&self) -> bool {
        let headers = self.request.headers();
        headers.contains_key(TRANSFER_ENCODING)
            || headers
                .get(CONTENT_LENGTH)
                .is_some_and(|length| length.as_bytes() != b"0")
    }

    /// The body, read now but judged later: a request for an object that does not exist
    /// is answered 404 whatever it carries.
    ///
    /// # Errors
    /// As [`read_body`].
    pub async fn body(&mut self) -> Result<Body, ApiError> {
        read_body(
            &self.request,
            &mut self.payload,
            self.state.settings.body_limit,
        )
        .await
    }

    /// The right to carry out this request, if it came with an `Idempotency-Key`. For
    /// handlers that [`Call::commit`] does not fit.
    pub(crate) fn reservation(&self) -> Option<&Reservation> {
        self.reservation.as_ref()
    }

    /// As [`State::write`], and answers with what `work` returns: under an
    /// `Idempotency-Key` the answer is stored in the same transaction, so that after a
    /// crash either both are there or none. Every POST that writes ends with this; one with
    /// several transactions, in the last.
    ///
    /// # Errors
    /// What `work` fails with; nothing is stored then.
    pub async fn commit<F>(&self, work: F) -> Answer
    where
        F: Fn(&mut AnyConnection) -> Result<Reply, ApiError> + Clone + Send + 'static,
    {
        let reservation = self.reservation.clone();
        let reply = self
            .state
            .write(move |connection| {
                let reply = work(connection)?;
                if let Some(reservation) = &reservation
                    && !reservation.store(connection, &reservation.seal(&reply)?)?
                {
                    return Err(ApiError::Conflict);
                }
                Ok(reply)
            })
            .await?;
        if let Some(reservation) = &self.reservation {
            reservation.mark_stored();
        }
        Ok(reply.into())
    }
}

impl FromRequest for Call {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(authenticate(request, payload))
    }
}

async fn authenticate(request: HttpRequest, payload: Payload) -> Result<Call, ApiError> {
    let (Some(state), Some(endpoint)) = (
        request.app_data::<Data<State>>().cloned(),
        request.app_data::<Endpoint>().copied(),
    ) else {
        return Err(ApiError::internal(
            "a route has no endpoint or no state, see `app`",
        ));
    };
    let now = (state.clock)();
    let (caller, scope) = identify(&request, &state, endpoint, now).await?;
    let query = Query::parse(request.query_string());
    let reservation = request.extensions().get::<Reservation>().cloned();
    Ok(Call {
        state,
        request,
        payload,
        caller,
        scope,
        query,
        endpoint,
        reservation,
        now,
    })
}

/// Who is asking, and for which tenant.
pub(crate) async fn identify(
    request: &HttpRequest,
    state: &State,
    endpoint: Endpoint,
    now: Instant,
) -> Result<(Caller, Option<TenantId>), ApiError> {
    let key = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .ok_or(ApiError::Unauthorized)?;
    let header = tenant_header(request);
    let asked = header.as_deref().and_then(parse_id);
    let found = state.lookup.ask(Claim::new(key, asked)).await?;
    let caller = found
        .key
        .filter(|key| key.is_live(now) && may_use(key, request, endpoint))
        .map(|key| Caller {
            key: key.id,
            lock: key.tenant_id,
        })
        .ok_or(ApiError::Unauthorized)?;
    let scope = scope(&caller, header.as_deref(), asked, found.tenant_exists)?;
    Ok((caller, scope))
}

fn tenant_header(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(TENANT_HEADER)?;
    // What is no text is no UUID either, and is refused as such.
    let text = value.to_str().unwrap_or("?").trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn may_use(key: &ApiKey, request: &HttpRequest, endpoint: Endpoint) -> bool {
    if endpoint.access == Access::Keys {
        return key.key_manager;
    }
    let id = request
        .match_info()
        .get(endpoint.id)
        .filter(|id| !id.is_empty());
    key.permits(endpoint.path, request.method().as_str())
        && key
            .tenant_id
            .is_none_or(|lock| endpoint.access.allows_locked(request.method(), lock, id))
}

/// The tenant that the request is limited to.
fn scope(
    caller: &Caller,
    header: Option<&str>,
    asked: Option<TenantId>,
    exists: bool,
) -> Result<Option<TenantId>, ApiError> {
    match (caller.lock, header, asked) {
        (Some(lock), Some(_), asked) if asked != Some(lock) => Err(ApiError::Unauthorized),
        (lock, None, _) => Ok(lock),
        (_, Some(_), None) => Err(ApiError::field(Prefix::CouldNotConvert, "tenantId")),
        (_, Some(_), Some(_)) if !exists => Err(ApiError::field(Prefix::Invalid, "tenantId")),
        (_, Some(_), asked) => Ok(asked),
    }
}

/// The tenant that something new belongs to, or that a name is looked up in: the scope,
/// or the only tenant there is.
///
/// # Errors
/// `[TenantIdRequired]` if there are several to choose from.
pub(crate) fn tenant_of(
    connection: &mut AnyConnection,
    scope: Option<TenantId>,
) -> Result<TenantId, ApiError> {
    if let Some(tenant) = scope {
        return Ok(tenant);
    }
    match Tenant::default_tenant(connection)? {
        Some(tenant) if Tenant::count(connection)? == 1 => Ok(tenant.id),
        _ => Err(ApiError::general(General::TenantIdRequired)),
    }
}
