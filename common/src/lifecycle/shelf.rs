//! Rows of a table, each with the transaction that wrote it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::QueryResult;

use crate::unix_millis::UnixMillis;

/// Rows of a table that are kept at most. Hardly anybody has as many in use.
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
    right_at: UnixMillis,
}

impl<R> Kept<R> {
    fn is_trusted(&self, now: UnixMillis) -> bool {
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
    pub(super) fn one(&self, id: &K, now: UnixMillis) -> Option<(Arc<R>, i64)> {
        let shelf = self.lock();
        let kept = shelf.get(id).filter(|kept| kept.is_trusted(now))?;
        Some((Arc::clone(&kept.row), kept.version))
    }

    /// The versions of all of them, if they were right lately. By the time that somebody asks
    /// for the rows they may be gone: what needs both at once asks for [`Shelf::all`].
    pub(super) fn trusted(&self, ids: &[K], now: UnixMillis) -> Option<HashMap<K, i64>> {
        self.each(ids, now, |kept| kept.version)
    }

    /// All of these rows, if they were right lately.
    pub(super) fn all(&self, ids: &[K], now: UnixMillis) -> Option<HashMap<K, Arc<R>>> {
        self.each(ids, now, |kept| Arc::clone(&kept.row))
    }

    /// Something of each of them, under one lock: of all, or of none.
    fn each<T>(
        &self,
        ids: &[K],
        now: UnixMillis,
        of: impl Fn(&Kept<R>) -> T,
    ) -> Option<HashMap<K, T>> {
        let shelf = self.lock();
        let trusted = |id: &K| {
            let kept = shelf.get(id).filter(|kept| kept.is_trusted(now))?;
            Some((*id, of(kept)))
        };
        ids.iter().map(trusted).collect()
    }

    /// Those of `ids` that exist; without versions, all of them are read.
    pub(super) fn get(
        &self,
        versions: Option<&HashMap<K, i64>>,
        ids: &[K],
        now: UnixMillis,
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

    /// Those of these rows that are here in these versions; whatever else there is has to be
    /// read.
    fn kept(&self, versions: &HashMap<K, i64>) -> HashMap<K, Arc<R>> {
        let shelf = self.lock();
        let kept = versions.iter().filter_map(|(id, version)| {
            let kept = shelf.get(id).filter(|kept| kept.version == *version)?;
            Some((*id, Arc::clone(&kept.row)))
        });
        kept.collect()
    }

    /// The rows of these versions are those that there are.
    pub(super) fn were_right(&self, versions: &HashMap<K, i64>, now: UnixMillis) {
        let mut shelf = self.lock();
        for (id, version) in versions {
            if let Some(kept) = shelf.get_mut(id).filter(|kept| kept.version == *version) {
                kept.right_at = now;
            }
        }
    }

    /// The versions were asked for before the rows were read. A row that was changed between
    /// goes under its former version, is not written with, and is read once more.
    pub(super) fn keep(&self, versions: &HashMap<K, i64>, rows: &[(K, Arc<R>)], now: UnixMillis) {
        let mut shelf = self.lock();
        let surplus = (shelf.len() + rows.len()).saturating_sub(MOST);
        // Whichever they are: those that come again are read once more. To let the oldest go
        // would be worse, since rows that take turns are all gone before their turn comes.
        let leaving: Vec<K> = shelf.keys().take(surplus).copied().collect();
        for id in leaving {
            shelf.remove(&id);
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_000);

    fn keep(shelf: &Shelf<usize, usize>, id: usize) {
        shelf.keep(&HashMap::from([(id, 1)]), &[(id, Arc::new(id))], NOW);
    }

    #[test]
    fn somewhat_more_rows_than_there_is_room_for_do_not_drive_each_other_out() {
        let shelf = Shelf::default();
        let mut missed = 0;
        for turn in 0..10 * (MOST + 1) {
            let id = turn % (MOST + 1);
            if shelf.one(&id, NOW).is_none() {
                missed += 1;
                keep(&shelf, id);
            }
        }
        assert!(missed < MOST + 100, "{missed} were not there");
        assert!(shelf.lock().len() <= MOST);
    }

    #[test]
    fn there_are_all_of_the_rows_or_none() {
        let shelf = Shelf::default();
        keep(&shelf, 1);
        keep(&shelf, 2);
        assert_eq!(shelf.all(&[1, 2], NOW).map(|rows| rows.len()), Some(2));
        assert!(shelf.all(&[1, 2, 3], NOW).is_none());
        assert!(shelf.all(&[1, 2], NOW.plus(TRUST)).is_none());
        shelf.clear();
        assert!(shelf.all(&[1, 2], NOW).is_none());
    }
}
