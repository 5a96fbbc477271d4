//! Rows of a table, each with the transaction that wrote it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::QueryResult;

use crate::instant::Instant;

/// Rows of a table that are kept at most. Nobody has as many tenants or definitions in use.
const MOST: usize = 1000;

/// How long rows count as right after they were.
const TRUST: Duration = Duration::from_secs(10);

/// Rows of a table, as they were when they were read last.
#[derive(Debug)]
pub(super) struct Shelf<K, R>(Mutex<HashMap<K, Kept<R>>>);

#[derive(Debug)]
struct Kept<R> {
    row: Arc<R>,
    /// The transaction that wrote it.
    version: i64,
    /// When it was known to be right.
    right_at: Instant,
}

impl<R> Kept<R> {
    fn is_trusted(&self, now: Instant) -> bool {
        self.right_at.plus(TRUST) > now
    }
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

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// The row, with its version, if it was right lately.
    pub(super) fn one(&self, id: &K, now: Instant) -> Option<(Arc<R>, i64)> {
        let shelf = self.lock();
        let kept = shelf.get(id).filter(|kept| kept.is_trusted(now))?;
        Some((Arc::clone(&kept.row), kept.version))
    }

    /// The versions of all of them, if they were right lately.
    pub(super) fn trusted(&self, ids: &[K], now: Instant) -> Option<HashMap<K, i64>> {
        let shelf = self.lock();
        let version = |id: &K| {
            let kept = shelf.get(id)?;
            kept.is_trusted(now).then_some((*id, kept.version))
        };
        ids.iter().map(version).collect()
    }

    /// Those of `ids` that exist; without versions, all of them are read.
    pub(super) fn get(
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
    pub(super) fn kept(&self, versions: &HashMap<K, i64>) -> HashMap<K, Arc<R>> {
        let shelf = self.lock();
        let kept = versions.iter().filter_map(|(id, version)| {
            let kept = shelf.get(id).filter(|kept| kept.version == *version)?;
            Some((*id, Arc::clone(&kept.row)))
        });
        kept.collect()
    }

    /// The rows of these versions are those that there are.
    pub(super) fn were_right(&self, versions: &HashMap<K, i64>, now: Instant) {
        let mut shelf = self.lock();
        for (id, version) in versions {
            if let Some(kept) = shelf.get_mut(id).filter(|kept| kept.version == *version) {
                kept.right_at = now;
            }
        }
    }

    /// The versions were asked for before the rows were read. A row that was changed between
    /// goes under its former version, is not written with, and is read once more.
    pub(super) fn keep(&self, versions: &HashMap<K, i64>, rows: &[(K, Arc<R>)], now: Instant) {
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
