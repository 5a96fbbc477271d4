//! [`UnauthenticatedCall`]: a request whose key nobody has looked at yet.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use beadle_common::unix_millis::UnixMillis;
use tokio::time::timeout;

use super::call::Call;
use super::credentials::Credentials;
use super::endpoint::Endpoint;
use super::origin::Origin;
use super::query::Query;
use crate::error::ApiError;
use crate::idempotency::Reservation;
use crate::input::{Body, Incoming, read_body};
use crate::state::State;

/// Nobody without a good key has more than this read, in bytes. An action has a few hundred;
/// parsed, a body of short values takes many times its length.
const SMALL: usize = 8 << 10;

/// Nor does anybody wait longer than this for it before the key is looked up by itself. Bodies
/// come with the headers, or right after them in a second packet.
const PATIENCE: Duration = Duration::from_millis(250);

/// A request with a key that may be good for nothing. For the one handler that has keys
/// looked up together with what is asked for; nothing must be answered before either that
/// or [`UnauthenticatedCall::authenticate`].
pub(crate) struct UnauthenticatedCall {
    state: Data<State>,
    request: HttpRequest,
    incoming: Incoming,
    endpoint: Endpoint,
    credentials: Credentials,
    now: UnixMillis,
}

impl UnauthenticatedCall {
    /// # Errors
    /// [`ApiError::Unauthorized`] if there is no key at all.
    pub(super) fn of(request: HttpRequest, payload: Payload) -> Result<Self, ApiError> {
        let (Some(state), Some(endpoint)) = (
            request.app_data::<Data<State>>().cloned(),
            request.app_data::<Endpoint>().copied(),
        ) else {
            return Err(ApiError::internal(
                "a route has no endpoint or no state, see `app`",
            ));
        };
        let now = (state.clock)();
        let credentials = Credentials::of(&request, endpoint, now)?;
        let incoming = Incoming::new(&request, payload, state.settings.body_limit);
        Ok(Self {
            state,
            request,
            incoming,
            endpoint,
            credentials,
            now,
        })
    }

    /// What handlers share.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// What decides whether the request may be carried out.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Where it comes from.
    pub(crate) fn origin(&self) -> Origin {
        Origin::of(&self.request, &self.state.settings.trusted_proxies)
    }

    /// Whether the body is there, or as good as there: so small and so quick that it may be
    /// read on behalf of whoever it is.
    pub(crate) async fn has_body(&mut self) -> bool {
        self.incoming.is_within(SMALL) && timeout(PATIENCE, self.incoming.end()).await.is_ok()
    }

    /// The right to carry out this request, if it came with an `Idempotency-Key`.
    pub(crate) fn reservation(&self) -> Option<Reservation> {
        self.request.extensions().get::<Reservation>().cloned()
    }

    /// As [`Call::body`], which has nothing to read after this.
    ///
    /// # Errors
    /// As [`read_body`].
    pub(crate) async fn body(&mut self) -> Result<Body, ApiError> {
        read_body(&self.request, &mut self.incoming).await
    }

    /// Looks the key up.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`], or what is wrong with the tenant header.
    pub(crate) async fn authenticate(self) -> Result<Call, ApiError> {
        let query = self.credentials.query().clone();
        let found = self.state.keys.ask(query).await?;
        let (caller, scope) = self.credentials.judge(found)?;
        let reservation = self.reservation();
        let query = Query::parse(self.request.query_string());
        query.check()?;
        Ok(Call {
            query,
            state: self.state,
            request: self.request,
            incoming: self.incoming,
            caller,
            scope,
            endpoint: self.endpoint,
            reservation,
            now: self.now,
        })
    }
}

impl FromRequest for UnauthenticatedCall {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Self::of(request.clone(), payload.take()))
    }
}

impl FromRequest for Call {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let call = UnauthenticatedCall::of(request.clone(), payload.take());
        Box::pin(async { call?.authenticate().await })
    }
}
