//! What changes rarely, kept from one batch of actions to the next: tenants, definitions and
//! reasons.
//!
//! Nothing is taken on trust. Each batch asks PostgreSQL which transaction wrote the rows that
//! it needs (`xmin`, which every change of a row changes), and reads those that it does not
//! have as they are now. That is one short statement in place of one for each table, and of
//! the JSON in them. On SQLite, where a read is no round trip, nothing is kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::sql_types::{Array, BigInt, SmallInt};
use diesel::{QueryResult, QueryableByName, RunQueryDsl};

use crate::db::{AnyConnection, Prepared, SqlUuid};
use crate::id::{ReasonId, TenantId, UserActionId, VersionedRowId};
use crate::model::reason::Reason;
use crate::model::tenant::Tenant;
use crate::model::user_action::UserAction;

/// Rows of a table that are kept at most. Nobody has as many tenants or definitions in use.
const MOST: usize = 1000;

/// Rows as they were when they were read last. One for each process is enough.
#[derive(Debug, Default)]
pub struct Remembered {
    tenants: Shelf<TenantId, Tenant>,
    definitions: Shelf<UserActionId, UserAction>,
    reasons: Shelf<ReasonId, Reason>,
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
}

impl Remembered {
    pub(super) fn get(
        &self,
        connection: &mut AnyConnection,
        wanted: &Wanted,
    ) -> QueryResult<Rarities> {
        let versions = Versions::of(connection, wanted)?;
        let versions = versions.as_ref();
        Ok(Rarities {
            tenants: self.tenants.get(
                versions.map(|versions| &versions.tenants),
                &wanted.tenants,
                |ids| Tenant::load(connection, ids),
                |tenant| tenant.id,
            )?,
            definitions: self.definitions.get(
                versions.map(|versions| &versions.definitions),
                &wanted.definitions,
                |ids| UserAction::load(connection, ids),
                |definition| definition.id,
            )?,
            reasons: self.reasons.get(
                versions.map(|versions| &versions.reasons),
                &wanted.reasons,
                |ids| Reason::load(connection, ids),
                |reason| reason.id,
            )?,
        })
    }
}

/// The rows of a table, each with the transaction that wrote it.
#[derive(Debug)]
struct Shelf<K, R>(Mutex<HashMap<K, (i64, Arc<R>)>>);

impl<K, R> Default for Shelf<K, R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash, R> Shelf<K, R> {
    /// Those of `ids` that exist; without versions, all of them are read.
    fn get(
        &self,
        versions: Option<&HashMap<K, i64>>,
        ids: &[K],
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
            self.keep(versions, &rows);
        }
        found.extend(rows);
        Ok(found)
    }

    fn kept(&self, versions: &HashMap<K, i64>) -> HashMap<K, Arc<R>> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = versions.iter().filter_map(|(id, version)| {
            let (kept, row) = shelf.get(id)?;
            (kept == version).then(|| (*id, Arc::clone(row)))
        });
        kept.collect()
    }

    /// The versions were asked for before the rows were read. A row that was changed between
    /// goes under its former version, and is read once more the next time.
    fn keep(&self, versions: &HashMap<K, i64>, rows: &[(K, Arc<R>)]) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() + rows.len() > MOST {
            shelf.clear();
        }
        for (id, row) in rows {
            if let Some(version) = versions.get(id) {
                shelf.insert(*id, (*version, Arc::clone(row)));
            }
        }
    }
}

/// Who wrote the rows that exist.
#[derive(Debug, Default)]
struct Versions {
    tenants: HashMap<TenantId, i64>,
    definitions: HashMap<UserActionId, i64>,
    reasons: HashMap<ReasonId, i64>,
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
