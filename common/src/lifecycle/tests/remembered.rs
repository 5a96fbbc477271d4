//! What is remembered may be forgotten at any moment, by another thread: nothing that is
//! written shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::batch::{saying, take_knowing};
use super::*;
use crate::id::ApiKeyId;
use crate::lifecycle::remembered::Wanted;
use crate::model::api_key::ApiKey;
use crate::test_support::{TestDb, both_databases};

/// How long two threads are given to come between each other's steps.
const A_WHILE: Duration = Duration::from_secs(1);

/// Ends the other thread, also when a promise is broken.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has a thread forget again and again while `work` is done again and again.
fn while_another_forgets(remembered: &Remembered, mut work: impl FnMut()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                remembered.forget();
                // Not so soon that nothing is known in between.
                thread::sleep(Duration::from_millis(3));
            }
        });
        let _over = Over(&is_over);
        let start = std::time::Instant::now();
        while start.elapsed() < A_WHILE {
            work();
        }
    });
}

fn of_each_tenant_the_webhooks_are_known(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let remembered = Remembered::default();
    let wanted = Wanted {
        tenants: vec![world.tenant.id],
        definitions: vec![world.ban.id],
        reasons: Vec::new(),
    };
    while_another_forgets(&remembered, || {
        db.read_blocking(|c| {
            for _ in 0..1000 {
                let known = remembered.get(c, &wanted, NOW)?;
                let destinations = known.destinations.get(&world.tenant.id);
                assert_eq!(destinations.map(Vec::len), Some(1));
            }
            Ok::<_, DbError>(())
        })
        .unwrap();
    });
}

fn no_action_is_written_without_its_deliveries(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let remembered = Arc::<Remembered>::default();
    while_another_forgets(&remembered, || {
        take_knowing(db, &remembered, &[world.request()]);
    });
    let rows = census(db, &["action_logs", "events", "outbox"]);
    assert_eq!(rows["events"], rows["action_logs"]);
    assert_eq!(rows["outbox"], rows["action_logs"]);
}

both_databases!(
    of_each_tenant_the_webhooks_are_known,
    no_action_is_written_without_its_deliveries,
);

/// An API key without limits.
fn api_key(key: &str) -> ApiKey {
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

/// The key as it is now.
fn look_up(db: &Db, remembered: &Remembered, key: &ApiKey) -> KeyInUse {
    let hashes = vec![key.key_hash.clone()];
    let found = db.read_blocking(|c| Ok::<_, DbError>(remembered.look_up_keys(c, hashes, NOW)?));
    found.unwrap().pop().unwrap()
}

/// As it is on PostgreSQL: on SQLite keys are not remembered.
#[test]
fn beside_a_request_that_knows_better_a_former_right_is_not_used() {
    let test = TestDb::postgres();
    let db = &test.db;
    let world = World::new(db);
    let remembered = Arc::<Remembered>::default();
    let key = api_key("a key");
    let limited = ApiKey {
        tenant_id: Some(world.tenant.id),
        ..key.clone()
    };
    let inserted = key.clone();
    write(db, move |c| inserted.insert(c));
    let former = look_up(db, &remembered, &key);
    write(db, move |c| limited.update(c));
    let current = look_up(db, &remembered, &key);

    let taking = |key: &KeyInUse| BatchItem {
        call: call(NOW),
        request: saying(&world, "one"),
        key: Some(key.clone()),
    };
    for (keys, may) in [
        ([&former, &current], false),
        ([&current, &former], false),
        ([&former, &former], false),
        ([&current, &current], true),
    ] {
        let takings = keys.map(taking);
        let takings: Vec<Option<&BatchItem>> = takings.iter().map(Some).collect();
        let prepared = db.read_blocking(|c| {
            Ok::<_, DbError>(prepare_batch(c, &setup(), &remembered, &takings, NOW)?)
        });
        let remembered = Arc::clone(&remembered);
        let prepared = prepared.unwrap();
        let saved =
            db.write_autocommit_blocking(move |c| commit_batch(c, &remembered, prepared, None));
        assert_eq!(saved.is_ok(), may, "{saved:?}");
    }
    assert_eq!(census(db, &["action_logs"])["action_logs"], 2);
}
