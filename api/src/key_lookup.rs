//! Whose key a request carries, looked up for all who ask at the same time. Each answer is
//! read after its question was asked: a key that is taken away is refused from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beadle_common::db::{
    AnyConnection, BatchOutcome, Batcher, CHECKOUT_TIMEOUT, Db, DbError, QueryResult, Threads,
};
use beadle_common::id::TenantId;
use beadle_common::model::api_key::ApiKey;
use beadle_common::model::tenant::Tenant;

use crate::error::ApiError;

/// Requests that share a look-up at most.
const BATCH: usize = 128;

const THREADS: Threads = Threads {
    name: "lookup",
    count: 1,
};

/// What a request says of itself.
#[derive(Debug, Clone)]
pub(crate) struct KeyQuery {
    /// See [`ApiKey::hash`].
    hash: Vec<u8>,
    /// The tenant that it asks to be limited to.
    tenant: Option<TenantId>,
}

impl KeyQuery {
    pub(crate) fn new(key: &str, tenant: Option<TenantId>) -> Self {
        Self {
            hash: ApiKey::hash(key),
            tenant,
        }
    }

    pub(crate) fn hash(&self) -> &[u8] {
        &self.hash
    }

    pub(crate) fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }
}

/// What there is of it.
#[derive(Debug, Clone)]
pub(crate) struct KeyLookup {
    pub(crate) key: Option<Arc<ApiKey>>,
    pub(crate) tenant_exists: bool,
}

/// Looks up keys.
#[derive(Debug, Clone)]
pub struct KeyFinder {
    db: Db,
    batcher: Arc<Batcher<KeyQuery, KeyLookup>>,
}

impl KeyFinder {
    /// Looks up keys in this database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        let shared = db.clone();
        let batcher = Batcher::start(THREADS, BATCH, CHECKOUT_TIMEOUT, move |queries: Vec<_>| {
            let found =
                shared.read_blocking(|connection| look_up(connection, queries.iter(), load))?;
            Ok(found.into_iter().map(BatchOutcome::Answer).collect())
        });
        Self {
            db,
            batcher: Arc::new(batcher),
        }
    }

    pub(crate) async fn ask(&self, query: KeyQuery) -> Result<KeyLookup, ApiError> {
        if let BatchOutcome::Answer(found) = self.batcher.ask(query.clone()).await? {
            return Ok(found);
        }
        let looking = self
            .db
            .read(move |connection| look_up(connection, std::iter::once(&query), load));
        looking
            .await?
            .pop()
            .ok_or_else(|| ApiError::internal("a look-up without an answer"))
    }
}

fn load(connection: &mut AnyConnection, hashes: Vec<Vec<u8>>) -> QueryResult<Vec<Arc<ApiKey>>> {
    let keys = ApiKey::load_by_hash(connection, hashes)?;
    Ok(keys.into_iter().map(Arc::new).collect())
}

/// In the order of the queries. `load` finds keys by their hashes, if there are any.
pub(crate) fn look_up<'c>(
    connection: &mut AnyConnection,
    queries: impl Iterator<Item = &'c KeyQuery> + Clone,
    load: impl FnOnce(&mut AnyConnection, Vec<Vec<u8>>) -> QueryResult<Vec<Arc<ApiKey>>>,
) -> Result<Vec<KeyLookup>, DbError> {
    let hashes: BTreeSet<&[u8]> = queries.clone().map(|query| query.hash.as_slice()).collect();
    let tenants: BTreeSet<TenantId> = queries.clone().filter_map(|query| query.tenant).collect();
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let keys = load(connection, hashes.into_iter().map(<[u8]>::to_vec).collect())?;
    let keys: BTreeMap<Vec<u8>, Arc<ApiKey>> = keys
        .into_iter()
        .map(|key| (key.key_hash.clone(), key))
        .collect();
    let existing = Tenant::existing_among(connection, tenants.into_iter().collect())?;
    let found = |query: &KeyQuery| KeyLookup {
        key: keys.get(&query.hash).cloned(),
        tenant_exists: query
            .tenant
            .is_some_and(|tenant| existing.contains(&tenant)),
    };
    Ok(queries.map(found).collect())
}
