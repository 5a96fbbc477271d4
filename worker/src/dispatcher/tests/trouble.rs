//! A database that goes away and comes back, and what an idle dispatcher asks of one.

use beadle_common::db::{Backend, DatabaseUrl};
use beadle_common::test_support::{Holder, TestDb};
use diesel::connection::SimpleConnection;

use super::*;
use crate::dispatcher::settler::SLOW_SETTLE;

/// Runs a statement on the server's own database.
fn on_server(statement: &str) {
    let server = std::env::var("BEADLE_TEST_POSTGRES").unwrap();
    let mut connection = PgConnection::establish(&server).unwrap();
    connection.batch_execute(statement).unwrap();
}

fn name(db: &Db) -> String {
    match db.url() {
        DatabaseUrl::Postgres(url) => url.rsplit_once('/').unwrap().1.to_owned(),
        DatabaseUrl::Sqlite(_) => String::new(),
    }
}

fn cut_connections(db: &Db) {
    let name = name(db);
    on_server(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    ));
}

/// Refuses whatever is asked of the outbox: as a server that is down, or as a table that
/// is not there.
fn go_away(world: &World) {
    match world.db.backend() {
        Backend::Postgres => {
            let name = name(&world.db);
            on_server(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
            cut_connections(&world.db);
        }
        Backend::Sqlite => rename(world, "outbox", "elsewhere"),
    }
}

fn come_back(world: &World) {
    match world.db.backend() {
        Backend::Postgres => {
            let name = name(&world.db);
            on_server(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
        }
        Backend::Sqlite => rename(world, "elsewhere", "outbox"),
    }
}

fn rename(world: &World, from: &str, to: &str) {
    let statement = format!("ALTER TABLE {from} RENAME TO {to}");
    world.write(move |c| c.batch_execute(&statement));
}

async fn the_loop_survives_an_outage_and_sends_nothing_twice(world: World) {
    let flying = world.add(world.destination(Act::Wait));
    let dispatcher = world.start();
    until("it flies", || world.flying() == 1).await;
    go_away(&world);
    // It finishes while nothing can be written.
    world.open_gate(1);
    until("it finished", || world.flying() == 0).await;
    tokio::time::sleep(7 * SECOND).await;
    if world.db.backend() == Backend::Postgres {
        // Longer than the lease.
        world.advance(61 * SECOND);
    }
    come_back(&world);
    assert_eq!(world.fate_of(flying).await, (DeliveryState::Delivered, 1));
    let later = world.add(DestinationId::random());
    assert_eq!(world.fate_of(later).await, (DeliveryState::Delivered, 1));
    world.stop(dispatcher).await;
    assert_eq!(world.sent(), [(flying, 1), (later, 1)]);
}

async fn a_settle_that_hangs_for_longer_than_two_leases_has_nothing_sent_twice(world: World) {
    let ids: Vec<_> = (0..5)
        .map(|_| world.add(world.destination(Act::Wait)))
        .collect();
    let dispatcher = world.start();
    until("all fly", || world.flying() == 5).await;
    // An index is built, or the table is vacuumed in full.
    let lock = "LOCK TABLE deliveries IN EXCLUSIVE MODE";
    let holder = tokio::task::block_in_place(|| Holder::new(&world.db, lock));
    world.open_gate(5);
    until("all have arrived", || world.flying() == 0).await;
    tokio::time::sleep(SLOW_SETTLE + SECOND).await;
    // What is due now has to wait, too: it could not be settled either.
    for _ in 0..2 {
        world.advance(61 * SECOND);
        tokio::time::sleep(SECOND / 2).await;
        assert_eq!(world.sent().len(), 5);
    }
    tokio::task::block_in_place(|| holder.release());
    for id in ids {
        assert_eq!(world.fate_of(id).await, (DeliveryState::Delivered, 1));
    }
    world.act(DestinationId::random(), Act::Deliver);
    let later = world.add(DestinationId::random());
    world.wake.wake();
    assert_eq!(world.fate_of(later).await, (DeliveryState::Delivered, 1));
    world.stop(dispatcher).await;
    assert_eq!(world.sent().len(), 6);
}

async fn a_stop_does_not_wait_for_a_database_that_stays_away(world: World) {
    world.add(world.destination(Act::Wait));
    let dispatcher = world.start();
    until("it flies", || world.flying() == 1).await;
    go_away(&world);
    world.open_gate(1);
    tokio::time::timeout(25 * SECOND, world.stop(dispatcher))
        .await
        .unwrap();
    come_back(&world);
}

both_databases!(
    the_loop_survives_an_outage_and_sends_nothing_twice,
    a_settle_that_hangs_for_longer_than_two_leases_has_nothing_sent_twice,
    a_stop_does_not_wait_for_a_database_that_stays_away,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_at_any_moment_lose_nothing() {
    let test = TestDb::postgres();
    let world = World::new(&test.db);
    let dispatcher = world.start();
    let mut ids = Vec::new();
    for _ in 0..20 {
        let added = tokio::time::timeout(SECOND, async {
            // The pool may hand out one more connection that has just been cut.
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                world.add_many(DestinationId::random(), 10)
            }))
        });
        ids.extend(added.await.into_iter().flatten().flatten());
        world.wake.wake();
        tokio::time::sleep(Duration::from_millis(20)).await;
        cut_connections(&test.db);
    }
    // Connections that worked a moment ago are used without asking whether they still do.
    tokio::time::sleep(2 * SECOND).await;
    for id in &ids {
        // A claim whose commit was cut off comes back when its lease has lapsed.
        until("it is settled", || {
            world.advance(SECOND);
            world.fate(*id).is_some()
        })
        .await;
    }
    world.stop(dispatcher).await;
    assert!(ids.iter().all(|id| world.owed(*id).is_none()));
}

/// How often the outbox was looked into, as the server counts: a second late, and twice
/// or more for each question.
fn scans(world: &World) -> i64 {
    world.read(|c| {
        diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
            "(SELECT seq_scan + coalesce(idx_scan, 0)
              FROM pg_stat_user_tables WHERE relname = 'outbox')",
        ))
        .get_result(c)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_drain_asks_about_once_a_second() {
    let test = TestDb::postgres();
    let world = World::new(&test.db);
    // Something that is not due yet.
    let id = world.add(DestinationId::random());
    world.write(move |c| {
        diesel::update(outbox::table.find(id))
            .set(outbox::due_at.eq(NOW.plus(3600 * SECOND)))
            .execute(c)
    });
    let dispatcher = world.start();
    tokio::time::sleep(2 * SECOND).await;
    let before = scans(&world);
    tokio::time::sleep(5 * SECOND).await;
    let scans = scans(&world) - before;
    world.stop(dispatcher).await;
    assert!(scans <= 20, "{scans} scans in five seconds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wake_ups_of_other_processes_are_heard_again_after_an_outage() {
    let test = TestDb::postgres();
    let (here, there) = (Wake::new(&test.db), Wake::new(&test.db));
    let source = here.source();
    let stop = CancellationToken::new();
    let listening = tokio::spawn({
        let (source, url, stop) = (source.clone(), test.db.url().clone(), stop.clone());
        async move { source.listen(&url, stop).await }
    });
    for _ in 0..3 {
        let heard = async {
            loop {
                let woken = source.subscribe(Kind::Webhook);
                there.wake();
                if tokio::time::timeout(SECOND, woken).await.is_ok() {
                    return;
                }
            }
        };
        tokio::time::timeout(20 * SECOND, heard).await.unwrap();
        cut_connections(&test.db);
    }
    stop.cancel();
    listening.await.unwrap();
}
