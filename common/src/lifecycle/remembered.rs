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
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::sql_types::{Array, BigInt, SmallInt};
use diesel::{QueryResult, QueryableByName, RunQueryDsl};

use crate::db::{AnyConnection, Prepared, SqlUuid};
use crate::id::{ReasonId, TenantId, UserActionId, VersionedRowId, WebhookId};
use crate::instant::Instant;
use crate::model::reason::Reason;
use crate::model::tenant::Tenant;
use crate::model::user_action::UserAction;
use crate::model::webhook::Webhook;

/// Rows of a table that are kept at most. Nobody has as many tenants or definitions in use.
const MOST: usize = 1000;

/// How long rows count as right after they were.
const TRUST: Duration = Duration::from_secs(10);

/// The webhooks that want the events of each tenant, and whether in order.
pub(super) type Lanes = BTreeMap<TenantId, Vec<(WebhookId, bool)>>;

/// Rows as they were when they were read last. One for each process is enough.
#[derive(Debug, Default)]
pub struct Remembered {
    tenants: Shelf<TenantId, Tenant>,
    definitions: Shelf<UserActionId, UserAction>,
    reasons: Shelf<ReasonId, Reason>,
    lanes: Shelf<TenantId, Vec<(WebhookId, bool)>>,
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
    pub(super) lanes: Lanes,
    /// None where rows have none.
    pub(super) versions: Option<Versions>,
}

impl Remembered {
    pub(super) fn get(
        &self,
        connection: &mut AnyConnection,
        wanted: &Wanted,
        now: Instant,
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
            lanes: self.lanes(connection, tenants.keys().copied().collect(), now)?,
            tenants,
            definitions,
            reasons,
            versions,
        })
    }

    /// The versions of everything that is wanted, if all of it was right lately.
    fn trusted(&self, wanted: &Wanted, now: Instant) -> Option<Versions> {
        Some(Versions {
            tenants: self.tenants.trusted(&wanted.tenants, now)?,
            definitions: self.definitions.trusted(&wanted.definitions, now)?,
            reasons: self.reasons.trusted(&wanted.reasons, now)?,
        })
    }

    /// The webhooks of tenants have no version: they are compared one by one.
    fn lanes(
        &self,
        connection: &mut AnyConnection,
        tenants: Vec<TenantId>,
        now: Instant,
    ) -> QueryResult<Lanes> {
        if let Some(versions) = self.lanes.trusted(&tenants, now) {
            let kept = self.lanes.kept(&versions).into_iter();
            return Ok(kept
                .map(|(tenant, lanes)| (tenant, lanes.to_vec()))
                .collect());
        }
        let mut lanes = Webhook::for_user_action_of(connection, &tenants)?;
        for tenant in tenants {
            lanes.entry(tenant).or_default();
        }
        if connection.postgres().is_some() {
            let unversioned = lanes.keys().map(|tenant| (*tenant, 0)).collect();
            let rows = lanes
                .iter()
                .map(|(tenant, lanes)| (*tenant, Arc::new(lanes.clone())));
            let rows: Vec<_> = rows.collect();
            self.lanes.keep(&unversioned, &rows, now);
        }
        Ok(lanes)
    }

    /// A batch that rested on these was written: they were right.
    pub(super) fn were_right(&self, versions: &Versions, lanes: &Lanes, now: Instant) {
        let unversioned = lanes.keys().map(|tenant| (*tenant, 0)).collect();
        self.lanes.were_right(&unversioned, now);
        self.rows_were_right(versions, now);
    }

    fn rows_were_right(&self, versions: &Versions, now: Instant) {
        self.tenants.were_right(&versions.tenants, now);
        self.definitions.were_right(&versions.definitions, now);
        self.reasons.were_right(&versions.reasons, now);
    }

    /// Something is not as it was.
    pub(super) fn forget(&self) {
        self.tenants.lock().clear();
        self.definitions.lock().clear();
        self.reasons.lock().clear();
        self.lanes.lock().clear();
    }
}

/// Rows of a table.
#[derive(Debug)]
struct Shelf<K, R>(Mutex<HashMap<K, Kept<R>>>);

#[derive(Debug)]
struct Kept<R> {
    row: Arc<R>,
    /// The transaction that wrote it.
    version: i64,
    /// When it was known to be right.
    right_at: Instant,
}

impl<K, R> Default for Shelf<K, R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash, R> Shelf<K, R> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Kept<R>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The versions of all of them, if they were right lately.
    fn trusted(&self, ids: &[K], now: Instant) -> Option<HashMap<K, i64>> {
        let shelf = self.lock();
        let version = |id: &K| {
            let kept = shelf.get(id)?;
            (kept.right_at.plus(TRUST) > now).then_some((*id, kept.version))
        };
        ids.iter().map(version).collect()
    }

    /// Those of `ids` that exist; without versions, all of them are read.
    fn get(
        &self,
        versions: Option<&HashMap<K, i64>>,
        ids: &[K],
        now: Instant,
        load: impl FnOnce(&[K]) -> QueryResult<Vec<R>>,
        id: impl Fn(&R) -> K,
    ) -> QueryResult<HashMap<K, Arc<R>>> {
        let mut found = versions.map_or_else(HashMap::new, |versions| self.kept(versions));
        let missing = |id: &&K| {
            let exists = versions.is_none_or(|versions| versions.contains_key(id));
            exists && !found.contains_key(id)
        };
        let missing: Vec<K> = ids.iter().filter(missing).copied().collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let rows = load(&missing)?;
        let rows = rows.into_iter().map(|row| (id(&row), Arc::new(row)));
        let rows: Vec<(K, Arc<R>)> = rows.collect();
        if let Some(versions) = versions {
            self.keep(versions, &rows, now);
        }
        found.extend(rows);
        Ok(found)
    }

    /// Rows of these versions.
    fn kept(&self, versions: &HashMap<K, i64>) -> HashMap<K, Arc<R>> {
        let shelf = self.lock();
        let kept = versions.iter().filter_map(|(id, version)| {
            let kept = shelf.get(id).filter(|kept| kept.version == *version)?;
            Some((*id, Arc::clone(&kept.row)))
        });
        kept.collect()
    }

    /// The rows of these versions are those that there are.
    fn were_right(&self, versions: &HashMap<K, i64>, now: Instant) {
        let mut shelf = self.lock();
        for (id, version) in versions {
            if let Some(kept) = shelf.get_mut(id).filter(|kept| kept.version == *version) {
                kept.right_at = now;
            }
        }
    }

    /// The versions were asked for before the rows were read. A row that was changed between
    /// goes under its former version, is not written with, and is read once more.
    fn keep(&self, versions: &HashMap<K, i64>, rows: &[(K, Arc<R>)], now: Instant) {
        let mut shelf = self.lock();
        if shelf.len() + rows.len() > MOST {
            shelf.clear();
        }
        for (id, row) in rows {
            if let Some(version) = versions.get(id) {
                let kept = Kept {
                    row: Arc::clone(row),
                    version: *version,
                    right_at: now,
                };
                shelf.insert(*id, kept);
            }
        }
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
        let rows: Vec<Version> = Prepared(query).load(connection)?;
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
