//! Promises of the one writer: many at once, each for itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl};

use super::{AnyConnection, Db, DbError};
use crate::test_support::{Holder, TestDb, both_databases};

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn with_table(db: &Db) {
    db.write_blocking(|c| sql(c, "CREATE TABLE names (name TEXT PRIMARY KEY)"))
        .unwrap();
}

fn sql(connection: &mut AnyConnection, sql: &str) -> Result<(), DbError> {
    Ok(connection.batch_execute(sql)?)
}

fn add(connection: &mut AnyConnection, name: &str) -> Result<(), DbError> {
    sql(connection, &format!("INSERT INTO names VALUES ('{name}')"))
}

fn names(db: &Db) -> Vec<String> {
    let rows: Vec<Name> = db
        .read_blocking(|c| {
            let query = diesel::sql_query("SELECT name FROM names ORDER BY name");
            Ok::<_, DbError>(query.load(c)?)
        })
        .unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

/// Keeps the writer busy until the returned sender is dropped, so that what is written
/// meanwhile becomes one batch.
fn hold(db: &Db) -> (std::sync::mpsc::Sender<()>, thread::JoinHandle<()>) {
    let (release, released) = channel::<()>();
    let (begun, has_begun) = channel();
    let db = db.clone();
    let holder = thread::spawn(move || {
        db.write_blocking(move |_| {
            begun.send(()).unwrap();
            let _ = released.recv();
            Ok::<_, DbError>(())
        })
        .unwrap();
    });
    has_begun.recv().unwrap();
    (release, holder)
}

#[test]
fn who_waits_behind_others_waits_no_longer_than_they_for_another_process() {
    let test = TestDb::sqlite();
    with_table(&test.db);
    let holder = Holder::new(&test.db, "");
    let began = Instant::now();
    let write = |_| {
        let db = test.db.clone();
        thread::spawn(move || db.write_blocking(|c| add(c, "late")))
    };
    let waiting: Vec<_> = (0..4).map(write).collect();
    for waiting in waiting {
        let refused = waiting.join().unwrap();
        assert!(
            matches!(refused, Err(DbError::Unavailable(_))),
            "{refused:?}"
        );
    }
    // Ten seconds, and not ten for each of them.
    assert!(began.elapsed() < Duration::from_secs(19));
    holder.release();
    assert!(names(&test.db).is_empty());
}

type Work = fn(&mut AnyConnection) -> Result<(), DbError>;

/// Runs each of `work` from a thread of its own, in this order in one batch.
fn in_one_batch(db: &Db, work: Vec<Work>) -> Vec<thread::Result<Result<(), DbError>>> {
    let (release, holder) = hold(db);
    let threads: Vec<_> = work
        .into_iter()
        .map(|work| {
            let db = db.clone();
            let thread = thread::spawn(move || db.write_blocking(work));
            // Long enough to be queued before the next one.
            thread::sleep(Duration::from_millis(30));
            thread
        })
        .collect();
    drop(release);
    holder.join().unwrap();
    threads.into_iter().map(thread::JoinHandle::join).collect()
}

#[test]
fn a_change_that_fails_spoils_no_other_of_its_batch() {
    let test = TestDb::sqlite();
    with_table(&test.db);
    let results = in_one_batch(
        &test.db,
        vec![
            |c| add(c, "first"),
            |c| {
                add(c, "lost")?;
                add(c, "first")
            },
            |c| {
                add(c, "lost, too")?;
                sql(c, "no SQL")
            },
            |c| add(c, "last"),
        ],
    );
    let ok: Vec<bool> = results.iter().map(|r| matches!(r, Ok(Ok(())))).collect();
    assert_eq!(ok, [true, false, false, true]);
    assert!(matches!(results[1], Ok(Err(DbError::Duplicate(_)))));
    assert_eq!(names(&test.db), ["first", "last"]);
}

#[test]
fn a_change_that_panics_spoils_no_other_of_its_batch() {
    let test = TestDb::sqlite();
    with_table(&test.db);
    let results = in_one_batch(
        &test.db,
        vec![
            |c| add(c, "first"),
            |c| {
                add(c, "lost")?;
                // As deep as it gets: savepoints of its own are open, too.
                c.transaction(|c| {
                    add(c, "lost, too")?;
                    c.transaction(|_| -> Result<(), DbError> { panic!("on purpose") })
                })
            },
            |c| add(c, "last"),
        ],
    );
    assert!(matches!(results[0], Ok(Ok(()))));
    assert!(matches!(results[2], Ok(Ok(()))));
    let panic = results[1].as_ref().unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
    assert_eq!(names(&test.db), ["first", "last"]);
}

fn a_panic_goes_on_in_the_caller_and_leaves_nothing(db: &Db) {
    with_table(db);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        db.write_blocking(|c| -> Result<(), DbError> {
            add(c, "lost")?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(names(db), [""; 0]);
    db.write_blocking(|c| add(c, "next")).unwrap();
    assert_eq!(names(db), ["next"]);
}

fn many_writers_at_once_all_commit(db: &Db) {
    const WRITERS: usize = 200;
    with_table(db);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..WRITERS)
            .map(|n| {
                let db = db.clone();
                tokio::spawn(async move { db.write(move |c| add(c, &format!("{n:04}"))).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    let wanted: Vec<String> = (0..WRITERS).map(|n| format!("{n:04}")).collect();
    assert_eq!(names(db), wanted);
}

fn what_was_answered_is_there_for_every_reader(db: &Db) {
    with_table(db);
    for n in 0..20 {
        db.write_blocking(move |c| add(c, &format!("{n:04}")))
            .unwrap();
        assert_eq!(names(db).len(), n + 1);
    }
}

fn a_change_that_fails_leaves_nothing(db: &Db) {
    with_table(db);
    let result = db.write_blocking(|c| {
        add(c, "lost")?;
        Err::<(), _>(DbError::Unavailable("on purpose".to_owned()))
    });
    assert!(result.is_err());
    assert_eq!(names(db), [""; 0]);
}

#[test]
fn a_full_queue_is_said_at_once() {
    let test = TestDb::sqlite();
    let (release, holder) = hold(&test.db);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let queued = Arc::new(AtomicUsize::new(0));
        let mut waiting = Vec::new();
        for _ in 0..1024 {
            let (db, queued) = (test.db.clone(), Arc::clone(&queued));
            waiting.push(tokio::spawn(async move {
                // The write is queued by the same poll.
                queued.fetch_add(1, Ordering::Relaxed);
                db.write(|_| Ok::<_, DbError>(())).await
            }));
        }
        while queued.load(Ordering::Relaxed) < 1024 {
            tokio::task::yield_now().await;
        }
        let refused = test.db.write(|_| Ok::<_, DbError>(())).await;
        assert!(
            matches!(refused, Err(DbError::Unavailable(_))),
            "{refused:?}"
        );
        drop(release);
        for task in waiting {
            task.await.unwrap().unwrap();
        }
    });
    holder.join().unwrap();
}

#[test]
fn the_lock_of_another_process_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let open = || {
        Db::open(&super::DbOptions {
            url: url.parse().unwrap(),
            connections: 2,
            synchronous: super::SqliteSynchronous::Normal,
            if_missing: super::IfMissing::Create,
        })
        .unwrap()
    };
    // Two handles have a writer each, as two processes have.
    let (one, two) = (open(), open());
    with_table(&one);
    let (release, holder) = hold(&one);
    let writer = thread::spawn(move || two.write_blocking(|c| add(c, "patient")));
    thread::sleep(Duration::from_millis(200));
    drop(release);
    holder.join().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(names(&one), ["patient"]);
}

#[derive(QueryableByName)]
struct Synchronous {
    #[diesel(sql_type = BigInt)]
    synchronous: i64,
}

#[test]
fn full_synchronous_reaches_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    for (setting, wanted) in [
        (super::SqliteSynchronous::Full, 2),
        (super::SqliteSynchronous::Normal, 1),
    ] {
        let db = Db::open(&super::DbOptions {
            url: format!("sqlite://{}/test.db", folder.path().display())
                .parse()
                .unwrap(),
            connections: 1,
            synchronous: setting,
            if_missing: super::IfMissing::Create,
        })
        .unwrap();
        let found: Synchronous = db
            .write_blocking(|c| {
                let query = diesel::sql_query("SELECT synchronous FROM pragma_synchronous");
                Ok::<_, DbError>(query.get_result(c)?)
            })
            .unwrap();
        assert_eq!(found.synchronous, wanted);
    }
}

both_databases!(
    a_panic_goes_on_in_the_caller_and_leaves_nothing,
    many_writers_at_once_all_commit,
    what_was_answered_is_there_for_every_reader,
    a_change_that_fails_leaves_nothing,
);

#[test]
fn whoever_finds_nobody_writing_writes_without_another_thread() {
    let test = TestDb::sqlite();
    let writing = |db: &Db| {
        db.write_blocking(|_| Ok::<_, DbError>(thread::current().id()))
            .unwrap()
    };
    assert_eq!(writing(&test.db), thread::current().id());
    let (release, holder) = hold(&test.db);
    let db = test.db.clone();
    let waiting = thread::spawn(move || writing(&db));
    thread::sleep(Duration::from_millis(30));
    drop(release);
    holder.join().unwrap();
    let itself = waiting.thread().id();
    assert_ne!(waiting.join().unwrap(), itself, "somebody else was writing");
    assert_eq!(writing(&test.db), thread::current().id());
}
