//! A snapshot may be thrown away at any moment, by another thread, and what it holds may have
//! changed: nothing that is written shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::batch::{save_knowing, saying, take_knowing};
use super::*;
use crate::id::ApiKeyId;
use crate::model::api_key::ApiKey;
use crate::test_support::both_databases;

/// How long two threads are given to come between each other's steps.
const A_WHILE: Duration = Duration::from_secs(1);

/// Ends the other thread, also when a promise is broken.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn discard(db: &Db, cache: &ConfigCache) {
    let snapshot = db.read_blocking(|c| Ok::<_, DbError>(cache.snapshot(c, NOW)?));
    cache.discard(&snapshot.unwrap());
}

fn no_action_is_written_without_its_deliveries(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let cache = Arc::<ConfigCache>::default();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                discard(db, &cache);
                // Not so soon that nothing is known in between.
                thread::sleep(Duration::from_millis(3));
            }
        });
        let _over = Over(&is_over);
        let start = std::time::Instant::now();
        while start.elapsed() < A_WHILE {
            take_knowing(db, &cache, &[world.request()]);
        }
    });
    let rows = census(db, &["action_logs", "events", "outbox"]);
    assert_eq!(rows["events"], rows["action_logs"]);
    assert_eq!(rows["outbox"], rows["action_logs"]);
}

fn each_of_more_tenants_than_there_is_room_for_gets_its_own(db: &Db) {
    const TENANTS: usize = 5000;
    let world = World::new(db);
    let (all, own) = (webhook(true), webhook(false));
    let (first, hook) = (world.tenant.id, own.id);
    write(db, move |c| {
        all.insert(c)?;
        own.insert(c)?;
        Webhook::set_tenants(c, own.id, &[first])
    });
    let cache = ConfigCache::default();
    let ids: Vec<TenantId> = (0..TENANTS).map(|_| TenantId::random()).collect();
    db.read_blocking(|c| {
        let snapshot = cache.snapshot(c, NOW)?;
        for ids in ids.chunks(500) {
            let ids = [ids, &[first]].concat();
            for _ in 0..2 {
                let found = snapshot.destinations(c, &ids)?;
                assert_eq!(found.len(), ids.len());
                let own = |id| found[id].iter().filter(|(of, _)| *of == hook).count();
                assert!(ids.iter().all(|id| own(id) == usize::from(*id == first)));
            }
        }
        Ok::<_, DbError>(())
    })
    .unwrap();
}

/// An API key without limits.
pub(super) fn api_key(key: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId::random(),
        key_hash: ApiKey::hash(key),
        key_sealed: None,
        name: None,
        name_normalized: None,
        tenant_id: None,
        permissions: None,
        key_manager: false,
        retrievable: false,
        expiration_instant: None,
        meta_data: JsonText::empty_object(),
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

fn what_a_key_was_allowed_is_not_used_once_it_is_changed(db: &Db) {
    let world = World::new(db);
    let cache = Arc::<ConfigCache>::default();
    let key = api_key("a key");
    let (inserted, limited) = (
        key.clone(),
        ApiKey {
            tenant_id: Some(world.tenant.id),
            ..key.clone()
        },
    );
    write(db, move |c| inserted.insert(c));
    let items = ["one", "two"].map(|comment| BatchItem {
        call: call(NOW),
        request: saying(&world, comment),
    });
    let look_up_and_prepare = || {
        db.read_blocking(|c| {
            let snapshot = cache.snapshot(c, NOW)?;
            // The first is let in by what is known, the second is looked up.
            let known = snapshot.key(&key.key_hash);
            let found = snapshot.look_up_keys(c, vec![key.key_hash.clone()])?;
            let items = [Some(&items[0]), Some(&items[1])];
            let batch = prepare_batch(c, &setup(), &snapshot, &items, NOW)?;
            let lock = |key: &Arc<ApiKey>| key.tenant_id;
            Ok::<_, DbError>((known.as_ref().map(lock), lock(&found[0]), batch))
        })
        .unwrap()
    };
    let (_, _, batch) = look_up_and_prepare();
    save_knowing(db, &cache, batch).unwrap();

    write(db, move |c| limited.update(c));
    let (known, found, batch) = look_up_and_prepare();
    assert_eq!((known, found), (Some(None), Some(world.tenant.id)));
    let result = save_knowing(db, &cache, batch);
    assert!(matches!(result, Err(Conflict::Changed)), "{result:?}");

    let (known, found, batch) = look_up_and_prepare();
    assert_eq!((known, found), (None, Some(world.tenant.id)));
    save_knowing(db, &cache, batch).unwrap();
    assert_eq!(census(db, &["action_logs"])["action_logs"], 4);
}

both_databases!(
    no_action_is_written_without_its_deliveries,
    each_of_more_tenants_than_there_is_room_for_gets_its_own,
    what_a_key_was_allowed_is_not_used_once_it_is_changed,
);
