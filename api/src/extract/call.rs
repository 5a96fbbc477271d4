//! [`Call`]: an authenticated request.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::Data;
use beadle_common::db::AnyConnection;
use beadle_common::id::TenantId;
use beadle_common::model::tenant::Tenant;
use beadle_common::resources::{Actor, Context};
use beadle_common::unix_millis::UnixMillis;
use uuid::Uuid;

use super::credentials::Caller;
use super::endpoint::Endpoint;
use super::origin::Origin;
use super::query::Query;
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::{General, Prefix};
use crate::idempotency::Reservation;
use crate::input::{Body, Incoming, parse_id, read_body};
use crate::state::State;

/// A request that carries a valid key.
pub struct Call {
    pub(super) state: Data<State>,
    pub(super) request: HttpRequest,
    pub(super) incoming: Incoming,
    pub(super) caller: Caller,
    pub(super) scope: Option<TenantId>,
    pub(super) query: Query,
    pub(super) endpoint: Endpoint,
    pub(super) reservation: Option<Reservation>,
    pub(super) now: UnixMillis,
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

    /// What operations without HTTP need to know of the request.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            actor: Actor::api_key(self.caller.key, self.caller.lock, self.scope),
            now: self.now,
            sealer: self.state.sealer.clone(),
            placeholder: None,
        }
    }

    /// When the request was taken up: the one instant of everything that it does.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
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
        read_body(&self.request, &mut self.incoming).await
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
        F: Fn(&mut AnyConnection) -> Result<Reply, ApiError> + Send + Sync + 'static,
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
