//! What changes rarely, kept from one batch of actions to the next: tenants, definitions,
//! reasons, the webhooks of tenants, and API keys.
//!
//! All of it goes with one number, its epoch (see [`ConfigEpoch`]). A snapshot is of one epoch,
//! is filled as rows are asked for, and is thrown away whole. Nothing is taken on trust: what
//! writes a batch writes nothing unless the database is at the epoch of its snapshot.
//!
//! What does not come to be written cannot tell that a snapshot is out of date: a request that
//! is refused because of it goes its own way, which is slower. So a snapshot that no batch has
//! confirmed for a while is compared with the database first.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::QueryResult;

use crate::db::{AnyConnection, ConfigEpoch};
use crate::id::{ReasonId, TenantId, UserActionId, WebhookId};
use crate::model::api_key::ApiKey;
use crate::model::reason::Reason;
use crate::model::tenant::Tenant;
use crate::model::user_action::UserAction;
use crate::model::webhook::Webhook;
use crate::unix_millis::UnixMillis;

/// How long a snapshot counts as current after it was.
const TRUST: Duration = Duration::from_secs(10);

/// Rows of a table that a snapshot keeps at most: some megabytes.
const MOST: usize = 4096;

/// The webhooks of tenants with more are not kept: they would take up much memory, and to read
/// them is nothing beside what they are owed.
const MOST_WEBHOOKS: usize = 100;

/// The webhooks that want the events of a tenant, and whether in order.
pub(super) type Destinations = Vec<(WebhookId, bool)>;

/// What API keys are looked up by.
type KeyHash = [u8; 32];

/// The snapshot that new batches begin with. One for each process is enough.
#[derive(Debug, Default)]
pub struct ConfigCache(Mutex<Option<Arc<ConfigSnapshot>>>);

impl ConfigCache {
    /// The configuration as it is now, or was at most ten seconds ago.
    pub fn snapshot(
        &self,
        connection: &mut AnyConnection,
        now: UnixMillis,
    ) -> QueryResult<Arc<ConfigSnapshot>> {
        if let Some(current) = self.trusted(now) {
            return Ok(current);
        }
        let epoch = ConfigEpoch::current(connection)?;
        let mut kept = lock(&self.0);
        let current = match kept.take() {
            // Another thread may have been later to read the epoch, and quicker to come here.
            Some(current) if current.epoch == epoch || current.is_trusted(now) => current,
            _ => Arc::new(ConfigSnapshot::of(epoch)),
        };
        if current.epoch == epoch {
            current.confirm(now);
        }
        Ok(Arc::clone(kept.insert(current)))
    }

    fn trusted(&self, now: UnixMillis) -> Option<Arc<ConfigSnapshot>> {
        lock(&self.0)
            .clone()
            .filter(|current| current.is_trusted(now))
    }

    /// The configuration has changed since: the next batch begins with another snapshot.
    pub(super) fn discard(&self, snapshot: &Arc<ConfigSnapshot>) {
        let mut kept = lock(&self.0);
        if kept
            .as_ref()
            .is_some_and(|kept| Arc::ptr_eq(kept, snapshot))
        {
            *kept = None;
        }
    }
}

/// Rows of one epoch.
#[derive(Debug)]
pub struct ConfigSnapshot {
    epoch: ConfigEpoch,
    /// When the database was known to be at this epoch.
    current_at: Mutex<UnixMillis>,
    tenants: Table<TenantId, Tenant>,
    definitions: Table<UserActionId, UserAction>,
    reasons: Table<ReasonId, Reason>,
    destinations: Table<TenantId, Destinations>,
    keys: Table<KeyHash, ApiKey>,
}

impl ConfigSnapshot {
    fn of(epoch: ConfigEpoch) -> Self {
        Self {
            epoch,
            current_at: Mutex::new(UnixMillis::from_millis(0)),
            tenants: Table::default(),
            definitions: Table::default(),
            reasons: Table::default(),
            destinations: Table::default(),
            keys: Table::default(),
        }
    }

    /// What the database has to be at still when something is written that rests on this.
    pub(super) fn epoch(&self) -> ConfigEpoch {
        self.epoch
    }

    /// The database was at this epoch at that time.
    pub(super) fn confirm(&self, at: UnixMillis) {
        let mut current_at = lock(&self.current_at);
        *current_at = at.max(*current_at);
    }

    fn is_trusted(&self, now: UnixMillis) -> bool {
        lock(&self.current_at).plus(TRUST) > now
    }

    /// Those of these tenants that exist.
    pub(super) fn tenants(
        &self,
        connection: &mut AnyConnection,
        ids: &[TenantId],
    ) -> QueryResult<HashMap<TenantId, Arc<Tenant>>> {
        self.tenants.get(ids, |ids| {
            let rows = Tenant::load(connection, ids)?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
    }

    /// Those of these definitions that exist.
    pub(super) fn definitions(
        &self,
        connection: &mut AnyConnection,
        ids: &[UserActionId],
    ) -> QueryResult<HashMap<UserActionId, Arc<UserAction>>> {
        self.definitions.get(ids, |ids| {
            let rows = UserAction::load(connection, ids)?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
    }

    /// Those of these reasons that exist.
    pub(super) fn reasons(
        &self,
        connection: &mut AnyConnection,
        ids: &[ReasonId],
    ) -> QueryResult<HashMap<ReasonId, Arc<Reason>>> {
        self.reasons.get(ids, |ids| {
            let rows = Reason::load(connection, ids)?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
    }

    /// The webhooks of each of these tenants, which may be none.
    pub(super) fn destinations(
        &self,
        connection: &mut AnyConnection,
        tenants: &[TenantId],
    ) -> QueryResult<HashMap<TenantId, Arc<Destinations>>> {
        let few = |destinations: &Destinations| destinations.len() <= MOST_WEBHOOKS;
        self.destinations.get_if(tenants, few, |tenants| {
            let mut wanting = Webhook::for_user_action_of(connection, tenants)?;
            let of = |tenant: &TenantId| (*tenant, wanting.remove(tenant).unwrap_or_default());
            Ok(tenants.iter().map(of).collect())
        })
    }

    /// The key of this hash, if it is known. If the request must be refused with it, it has to
    /// be looked up first.
    #[must_use]
    pub fn key(&self, hash: &[u8]) -> Option<Arc<ApiKey>> {
        self.keys.one(&hash.try_into().ok()?)
    }

    /// Whether there is such a tenant for all that is known.
    #[must_use]
    pub fn has_tenant(&self, tenant: TenantId) -> bool {
        self.tenants.one(&tenant).is_some()
    }

    /// Those of these hashes that exist, whatever is known of them.
    pub fn look_up_keys(
        &self,
        connection: &mut AnyConnection,
        hashes: Vec<Vec<u8>>,
    ) -> QueryResult<Vec<Arc<ApiKey>>> {
        let keys = ApiKey::load_by_hash(connection, hashes)?;
        let keys: Vec<Arc<ApiKey>> = keys.into_iter().map(Arc::new).collect();
        let by_hash = keys.iter().filter_map(|key| {
            let hash = key.key_hash.as_slice().try_into().ok()?;
            Some((hash, Arc::clone(key)))
        });
        self.keys.keep(by_hash);
        Ok(keys)
    }
}

/// Rows of one table.
#[derive(Debug)]
struct Table<K, R>(Mutex<HashMap<K, Arc<R>>>);

impl<K, R> Default for Table<K, R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash, R> Table<K, R> {
    fn one(&self, id: &K) -> Option<Arc<R>> {
        lock(&self.0).get(id).cloned()
    }

    fn get(
        &self,
        ids: &[K],
        load: impl FnOnce(&[K]) -> QueryResult<Vec<(K, R)>>,
    ) -> QueryResult<HashMap<K, Arc<R>>> {
        self.get_if(ids, |_| true, load)
    }

    /// All of these that exist. What is not known yet is loaded, and kept if `keeps` agrees.
    fn get_if(
        &self,
        ids: &[K],
        keeps: impl Fn(&R) -> bool,
        load: impl FnOnce(&[K]) -> QueryResult<Vec<(K, R)>>,
    ) -> QueryResult<HashMap<K, Arc<R>>> {
        let mut found: HashMap<K, Arc<R>> = {
            let rows = lock(&self.0);
            let known = |id: &K| Some((*id, Arc::clone(rows.get(id)?)));
            ids.iter().filter_map(known).collect()
        };
        let unknown = ids.iter().filter(|id| !found.contains_key(id));
        let unknown: Vec<K> = unknown.copied().collect();
        if !unknown.is_empty() {
            let rows = load(&unknown)?;
            let rows = rows.into_iter().map(|(id, row)| (id, Arc::new(row)));
            let rows: Vec<(K, Arc<R>)> = rows.collect();
            self.keep(rows.iter().filter(|(_, row)| keeps(row)).cloned());
            found.extend(rows);
        }
        Ok(found)
    }

    fn keep(&self, new: impl Iterator<Item = (K, Arc<R>)>) {
        let mut rows = lock(&self.0);
        for (id, row) in new {
            // Whichever it is: one that comes again is read once more. To let the oldest go
            // would be worse, since rows that take turns are all gone before their turn comes.
            if rows.len() >= MOST
                && !rows.contains_key(&id)
                && let Some(leaving) = rows.keys().next().copied()
            {
                rows.remove(&leaving);
            }
            rows.insert(id, row);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somewhat_more_rows_than_there_is_room_for_do_not_drive_each_other_out() {
        let table = Table::<usize, usize>::default();
        let mut missed = 0;
        for turn in 0..10 * (MOST + 1) {
            let id = turn % (MOST + 1);
            let found = table.get(&[id], |ids| {
                missed += ids.len();
                Ok(ids.iter().map(|id| (*id, *id)).collect())
            });
            assert_eq!(found.unwrap()[&id].as_ref(), &id);
        }
        assert!(missed < MOST + 100, "{missed} were not there");
        assert_eq!(lock(&table.0).len(), MOST);
    }

    #[test]
    fn what_is_not_kept_is_there_all_the_same() {
        let table = Table::<usize, usize>::default();
        for _ in 0..2 {
            let mut loaded = Vec::new();
            let found = table.get_if(
                &[1, 2, 3],
                |row| *row < 2,
                |ids| {
                    loaded.extend_from_slice(ids);
                    Ok(ids
                        .iter()
                        .map(|id| (*id, *id))
                        .filter(|id| id.0 < 3)
                        .collect())
                },
            );
            assert_eq!(found.unwrap().len(), 2);
        }
        assert_eq!(lock(&table.0).len(), 1);
    }
}
