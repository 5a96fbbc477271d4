//! What a request says of whoever sends it, and whether that entitles them to it.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use beadle_common::db::{AnyConnection, DbError};
use beadle_common::id::{ApiKeyId, TenantId};
use beadle_common::lifecycle::ConfigSnapshot;
use beadle_common::model::api_key::ApiKey;
use beadle_common::unix_millis::UnixMillis;

use super::access::Access;
use super::endpoint::Endpoint;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::parse_id;
use crate::key_lookup::{KeyLookup, KeyQuery, look_up};
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

/// Everything that decides whether a request may be carried out.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    query: KeyQuery,
    /// The tenant header, if there is one.
    header: Option<String>,
    asked: Option<TenantId>,
    endpoint: Endpoint,
    method: Method,
    /// The Id in the path.
    id: Option<String>,
    now: UnixMillis,
}

impl Credentials {
    /// # Errors
    /// [`ApiError::Unauthorized`] if there is no key.
    pub(crate) fn of(
        request: &HttpRequest,
        endpoint: Endpoint,
        now: UnixMillis,
    ) -> Result<Self, ApiError> {
        let key = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .ok_or(ApiError::Unauthorized)?;
        let header = tenant_header(request);
        let asked = header.as_deref().and_then(parse_id);
        let id = request.match_info().get(endpoint.id);
        Ok(Self {
            query: KeyQuery::new(key, asked),
            header,
            asked,
            endpoint,
            method: request.method().clone(),
            id: id.filter(|id| !id.is_empty()).map(str::to_owned),
            now,
        })
    }

    /// What to look up.
    pub(crate) fn query(&self) -> &KeyQuery {
        &self.query
    }

    /// Who is asking, and for which tenant, by what there is of the query.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`], or what is wrong with the tenant header.
    pub(crate) fn judge(&self, found: KeyLookup) -> Result<(Caller, Option<TenantId>), ApiError> {
        let caller = found
            .key
            .filter(|key| key.is_live(self.now) && self.is_permitted(key))
            .map(|key| Caller {
                key: key.id,
                lock: key.tenant_id,
            })
            .ok_or(ApiError::Unauthorized)?;
        let scope = self.scope(&caller, found.tenant_exists)?;
        Ok((caller, scope))
    }

    fn is_permitted(&self, key: &ApiKey) -> bool {
        let Endpoint { path, access, .. } = self.endpoint;
        if access == Access::Keys {
            return key.key_manager;
        }
        let id = self.id.as_deref();
        key.permits(path, self.method.as_str())
            && key
                .tenant_id
                .is_none_or(|lock| access.allows_locked(&self.method, lock, id))
    }

    /// The tenant that the request is limited to.
    fn scope(&self, caller: &Caller, exists: bool) -> Result<Option<TenantId>, ApiError> {
        match (caller.lock, &self.header, self.asked) {
            (Some(lock), Some(_), asked) if asked != Some(lock) => Err(ApiError::Unauthorized),
            (lock, None, _) => Ok(lock),
            (_, Some(_), None) => Err(ApiError::field(Prefix::CouldNotConvert, "tenantId")),
            (_, Some(_), Some(_)) if !exists => Err(ApiError::field(Prefix::Invalid, "tenantId")),
            (_, Some(_), asked) => Ok(asked),
        }
    }
}

/// Who is asking, and for which tenant.
pub(crate) async fn identify(
    request: &HttpRequest,
    state: &State,
    endpoint: Endpoint,
    now: UnixMillis,
) -> Result<(Caller, Option<TenantId>), ApiError> {
    let credentials = Credentials::of(request, endpoint, now)?;
    let found = state.keys.ask(credentials.query().clone()).await?;
    credentials.judge(found)
}

/// The same of many, in their order: each is told the tenant that the request is limited to.
/// Whoever may by the snapshot is not looked up: what they ask for is written only if it is
/// right still. Nobody is refused by it.
///
/// # Errors
/// That of the database.
pub(crate) fn authenticate_batch(
    connection: &mut AnyConnection,
    snapshot: &ConfigSnapshot,
    callers: &[&Credentials],
) -> Result<Vec<Result<Option<TenantId>, ApiError>>, DbError> {
    let by_snapshot = |caller: &&Credentials| {
        let query = caller.query();
        let has_tenant = |tenant| snapshot.has_tenant(tenant);
        let found = KeyLookup {
            key: Some(snapshot.key(query.hash())?),
            tenant_exists: query.tenant().is_some_and(has_tenant),
        };
        caller.judge(found).ok()
    };
    let known: Vec<_> = callers.iter().map(by_snapshot).collect();
    let strangers = callers.iter().zip(&known);
    let strangers = strangers.filter_map(|(caller, known)| known.is_none().then_some(*caller));
    let strangers: Vec<&Credentials> = strangers.collect();
    let queries = strangers.iter().map(|caller| caller.query());
    let found = look_up(connection, queries, |connection, hashes| {
        snapshot.look_up_keys(connection, hashes)
    })?;
    let found = strangers.into_iter().zip(found);
    let mut judged = found.map(|(caller, found)| caller.judge(found));
    let scope = |known: Option<(Caller, Option<TenantId>)>| {
        let missing = || Err(ApiError::internal("a look-up without an answer"));
        let judged = known.map_or_else(|| judged.next().unwrap_or_else(missing), Ok);
        judged.map(|(_, scope)| scope)
    };
    Ok(known.into_iter().map(scope).collect())
}

fn tenant_header(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(TENANT_HEADER)?;
    // What is no text is no UUID either, and neither is nothing: both are refused as such.
    Some(value.to_str().unwrap_or("?").trim().to_owned())
}
