//! What changes rarely, kept from one batch of actions to the next: tenants, definitions,
//! reasons, and the webhooks of tenants.
//!
//! Nothing is taken on trust. On PostgreSQL a row is kept together with the transaction that
//! wrote it (`xmin`, which every change of a row changes), and the statement that writes the
//! batch writes nothing unless all rows are still those (see [`super::basis`]). So a batch need not ask
//! for them first. What has not been found right for a while is asked for all the same: a
//! request that cannot be taken because of what is remembered goes its own way, which is
//! slower, and nothing would tell that the way is free again. On SQLite, where a read is no
//! round trip, nothing is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use diesel::sql_types::{Array, BigInt, SmallInt};
use diesel::{QueryResult, QueryableByName, RunQueryDsl};

use super::basis::Basis;
use super::shelf::Shelf;
use crate::db::{AnyConnection, CachedSql, SqlUuid};
use crate::id::{ReasonId, TenantId, UserActionId, VersionedRowId, WebhookId};
use crate::model::api_key::ApiKey;
use crate::model::reason::Reason;
use crate::model::tenant::Tenant;
use crate::model::user_action::UserAction;
use crate::model::webhook::Webhook;
use crate::unix_millis::UnixMillis;

/// Tenants with more webhooks are not remembered: they would take up much memory, and to read
/// them is nothing beside what they are owed.
const MOST_WEBHOOKS: usize = 100;

/// The webhooks that want the events of each tenant, and whether in order.
pub(super) type Destinations = BTreeMap<TenantId, Vec<(WebhookId, bool)>>;

/// Rows as they were when they were read last. One for each process is enough.
#[derive(Debug, Default)]
pub struct Remembered {
    tenants: Shelf<TenantId, Tenant>,
    definitions: Shelf<UserActionId, UserAction>,
    reasons: Shelf<ReasonId, Reason>,
    destinations: Shelf<TenantId, Vec<(WebhookId, bool)>>,
    keys: Shelf<KeyHash, ApiKey>,
}

/// What API keys are looked up by.
type KeyHash = [u8; 32];

/// An API key that an action is asked for with.
#[derive(Debug, Clone)]
pub struct KeyInUse {
    /// The key.
    pub key: Arc<ApiKey>,
    /// None where rows have none.
    version: Option<i64>,
}

/// A key that was looked up for what nobody remembers.
impl From<ApiKey> for KeyInUse {
    fn from(key: ApiKey) -> Self {
        Self {
            key: Arc::new(key),
            version: None,
        }
    }
}

impl KeyInUse {
    /// The transaction that wrote it.
    pub(super) fn version(&self) -> Option<i64> {
        self.version
    }
}

/// What a batch needs.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) tenants: Vec<TenantId>,
    pub(super) definitions: Vec<UserActionId>,
    pub(super) reasons: Vec<ReasonId>,
}

/// What there is of it.
#[derive(Debug)]
pub(super) struct Rarities {
    pub(super) tenants: HashMap<TenantId, Arc<Tenant>>,
    pub(super) definitions: HashMap<UserActionId, Arc<UserAction>>,
    pub(super) reasons: HashMap<ReasonId, Arc<Reason>>,
    pub(super) destinations: Destinations,
    /// None where rows have none.
    pub(super) versions: Option<Versions>,
}

impl Remembered {
    pub(super) fn get(
        &self,
        connection: &mut AnyConnection,
        wanted: &Wanted,
        now: UnixMillis,
    ) -> QueryResult<Rarities> {
        let versions = match self.trusted(wanted, now) {
            Some(trusted) => Some(trusted),
            None => Versions::of(connection, wanted)?.inspect(|versions| {
                self.rows_were_right(versions, now);
            }),
        };
        let known = versions.as_ref();
        let tenants = self.tenants.get(
            known.map(|versions| &versions.tenants),
            &wanted.tenants,
            now,
            |ids| Tenant::load(connection, ids),
            |tenant| tenant.id,
        )?;
        let definitions = self.definitions.get(
            known.map(|versions| &versions.definitions),
            &wanted.definitions,
            now,
            |ids| UserAction::load(connection, ids),
            |definition| definition.id,
        )?;
        let reasons = self.reasons.get(
            known.map(|versions| &versions.reasons),
            &wanted.reasons,
            now,
            |ids| Reason::load(connection, ids),
            |reason| reason.id,
        )?;
        Ok(Rarities {
            destinations: self.destinations(connection, tenants.keys().copied().collect(), now)?,
            tenants,
            definitions,
            reasons,
            versions,
        })
    }

    /// The versions of everything that is wanted, if all of it was right lately.
    fn trusted(&self, wanted: &Wanted, now: UnixMillis) -> Option<Versions> {
        Some(Versions {
            tenants: self.tenants.trusted(&wanted.tenants, now)?,
            definitions: self.definitions.trusted(&wanted.definitions, now)?,
            reasons: self.reasons.trusted(&wanted.reasons, now)?,
        })
    }

    /// An entry for each of these tenants. Webhooks have no version: they are compared one by
    /// one.
    fn destinations(
        &self,
        connection: &mut AnyConnection,
        tenants: Vec<TenantId>,
        now: UnixMillis,
    ) -> QueryResult<Destinations> {
        if let Some(kept) = self.destinations.all(&tenants, now) {
            let destinations = kept.into_iter();
            return Ok(destinations
                .map(|(tenant, of)| (tenant, of.to_vec()))
                .collect());
        }
        let mut destinations = Webhook::for_user_action_of(connection, &tenants)?;
        for tenant in tenants {
            destinations.entry(tenant).or_default();
        }
        if connection.postgres().is_some() {
            let unversioned = destinations.keys().map(|tenant| (*tenant, 0)).collect();
            let few = destinations
                .iter()
                .filter(|(_, of)| of.len() <= MOST_WEBHOOKS);
            let rows = few.map(|(tenant, of)| (*tenant, Arc::new(of.clone())));
            let rows: Vec<_> = rows.collect();
            self.destinations.keep(&unversioned, &rows, now);
        }
        Ok(destinations)
    }

    /// A batch that rested on these was written: they were right.
    pub(super) fn were_right(&self, basis: &Basis, now: UnixMillis) {
        let Basis {
            versions: Some(versions),
            destinations,
            keys,
            ..
        } = basis
        else {
            return;
        };
        let hash = |in_use: &KeyInUse| {
            let hash = in_use.key.key_hash.as_slice().try_into().ok()?;
            Some((hash, in_use.version?))
        };
        let keys = keys.iter().filter_map(hash).collect();
        self.keys.were_right(&keys, now);
        let unversioned = destinations.keys().map(|tenant| (*tenant, 0)).collect();
        self.destinations.were_right(&unversioned, now);
        self.rows_were_right(versions, now);
    }

    fn rows_were_right(&self, versions: &Versions, now: UnixMillis) {
        self.tenants.were_right(&versions.tenants, now);
        self.definitions.were_right(&versions.definitions, now);
        self.reasons.were_right(&versions.reasons, now);
    }

    /// The key of this hash, if it was right lately. If the request must be refused with it, it
    /// has to be looked up first.
    pub fn key(&self, hash: &[u8], now: UnixMillis) -> Option<KeyInUse> {
        let (key, version) = self.keys.one(&hash.try_into().ok()?, now)?;
        let version = Some(version);
        Some(KeyInUse { key, version })
    }

    /// Whether there was such a tenant lately.
    pub fn has_tenant(&self, tenant: TenantId, now: UnixMillis) -> bool {
        self.tenants.one(&tenant, now).is_some()
    }

    /// Those of these hashes that exist.
    ///
    /// # Errors
    /// Those of the database.
    pub fn look_up_keys(
        &self,
        connection: &mut AnyConnection,
        hashes: Vec<Vec<u8>>,
        now: UnixMillis,
    ) -> QueryResult<Vec<KeyInUse>> {
        let keys = ApiKey::load_versions_by_hash(connection, hashes)?;
        let in_use = |(key, version): (ApiKey, Option<i64>)| {
            let key = Arc::new(key);
            if let (Ok(hash), Some(version)) = (key.key_hash.as_slice().try_into(), version) {
                let versions = HashMap::from([(hash, version)]);
                self.keys.keep(&versions, &[(hash, Arc::clone(&key))], now);
            }
            KeyInUse { key, version }
        };
        Ok(keys.into_iter().map(in_use).collect())
    }

    /// Something is not as it was.
    pub(super) fn forget(&self) {
        self.tenants.clear();
        self.definitions.clear();
        self.reasons.clear();
        self.destinations.clear();
        self.keys.clear();
    }
}

/// Who wrote the rows that exist.
#[derive(Debug, Default)]
pub(super) struct Versions {
    pub(super) tenants: HashMap<TenantId, i64>,
    pub(super) definitions: HashMap<UserActionId, i64>,
    pub(super) reasons: HashMap<ReasonId, i64>,
}

#[derive(Debug, QueryableByName)]
struct Version {
    #[diesel(sql_type = SmallInt)]
    source: i16,
    #[diesel(sql_type = SqlUuid)]
    id: VersionedRowId,
    #[diesel(sql_type = BigInt)]
    writer: i64,
}

const VERSIONS: &str = "
SELECT 0::smallint AS source, id, xmin::text::bigint AS writer FROM tenants WHERE id = ANY($1)
UNION ALL
SELECT 1::smallint, id, xmin::text::bigint FROM user_actions WHERE id = ANY($2)
UNION ALL
SELECT 2::smallint, id, xmin::text::bigint FROM user_action_reasons WHERE id = ANY($3)";

impl Versions {
    /// None where rows have none.
    fn of(connection: &mut AnyConnection, wanted: &Wanted) -> QueryResult<Option<Self>> {
        let Some(connection) = connection.postgres() else {
            return Ok(None);
        };
        let query = diesel::sql_query(VERSIONS)
            .bind::<Array<SqlUuid>, _>(&wanted.tenants)
            .bind::<Array<SqlUuid>, _>(&wanted.definitions)
            .bind::<Array<SqlUuid>, _>(&wanted.reasons);
        let rows: Vec<Version> = CachedSql(query).load(connection)?;
        let mut versions = Self::default();
        for Version { source, id, writer } in rows {
            let id = id.uuid();
            let _ = match source {
                0 => versions.tenants.insert(id.into(), writer),
                1 => versions.definitions.insert(id.into(), writer),
                _ => versions.reasons.insert(id.into(), writer),
            };
        }
        Ok(Some(versions))
    }
}
