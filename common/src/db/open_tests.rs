//! Opening a database: many at once, and what is said when it cannot be.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl};
use tokio::task::JoinHandle;

use super::{CachedSql, Db, DbError, DbOptions, IfMissing, SqliteSynchronous};
use crate::test_support::TestDb;

fn options(url: &str, if_missing: IfMissing) -> DbOptions {
    DbOptions {
        url: url.parse().unwrap(),
        connections: 2,
        synchronous: SqliteSynchronous::Normal,
        if_missing,
    }
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// The only line that is said.
fn refused(url: &str, if_missing: IfMissing) -> String {
    let error = Db::open(&options(url, if_missing)).unwrap_err();
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Opens the database from many threads at the same moment.
fn open_at_once(url: &str) {
    let dbs: Vec<Db> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Db::open(&options(url, IfMissing::Create)).unwrap()))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    for db in dbs {
        let count: Count = db
            .read_blocking(|c| {
                let sql = "SELECT count(*) AS rows FROM action_logs";
                Ok::<_, DbError>(diesel::sql_query(sql).get_result(c)?)
            })
            .unwrap();
        assert_eq!(count.rows, 0);
    }
}

#[test]
fn many_can_migrate_a_fresh_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..5 {
        open_at_once(&url(&folder.path().join(format!("{n}.db"))));
    }
}

#[test]
fn many_can_migrate_a_fresh_server_database_at_once() {
    let test = TestDb::postgres();
    test.db
        .write_blocking(|c| {
            let empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;";
            Ok::<_, DbError>(c.batch_execute(empty)?)
        })
        .unwrap();
    let super::DatabaseUrl::Postgres(url) = test.db.url() else {
        unreachable!("it is PostgreSQL");
    };
    open_at_once(url);
}

#[test]
fn a_missing_file_is_named_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("typo.db");
    let said = refused(&url(&path), IfMissing::Refuse);
    assert!(
        said.contains("typo.db") && said.contains("migrate"),
        "{said}"
    );
    let nowhere = folder.path().join("nowhere/x.db");
    for if_missing in [IfMissing::Create, IfMissing::Refuse] {
        let said = refused(&url(&nowhere), if_missing);
        assert!(said.contains("no folder"), "{said}");
    }
    let said = refused(&url(folder.path()), IfMissing::Create);
    assert!(said.contains("is a directory"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "dear diary, ".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    let said = refused(&url(&path), IfMissing::Create);
    assert!(said.contains("notes.txt"), "{said}");
    assert!(said.contains("not a database"), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_server_that_is_not_there_is_said_in_one_line_without_the_password() {
    let said = refused("postgres://beadle:s3cret@127.0.0.1:1/b", IfMissing::Create);
    assert!(said.contains("127.0.0.1"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    let said = refused(
        "postgres://beadle:s3cret%25@127.0.0.1:1/b?nonsense=1",
        IfMissing::Create,
    );
    assert!(
        said.contains("nonsense") && !said.contains("s3cret"),
        "{said}"
    );
}

#[test]
fn a_database_that_is_not_there_is_named() {
    let test = TestDb::postgres();
    let super::DatabaseUrl::Postgres(url) = test.db.url() else {
        unreachable!("it is PostgreSQL");
    };
    let (server, _) = url.rsplit_once('/').unwrap();
    let said = refused(&format!("{server}/no_such_database"), IfMissing::Create);
    assert!(said.contains("no_such_database"), "{said}");
}

#[test]
fn opening_again_changes_nothing() {
    let test = TestDb::sqlite();
    let Some(path) = test.db.url().sqlite_path() else {
        unreachable!("it is SQLite");
    };
    let again = Db::open(&options(&url(path), IfMissing::Refuse)).unwrap();
    again.read_blocking(|_| Ok::<_, DbError>(())).unwrap();
}

fn ask(db: &Db) -> Result<i64, DbError> {
    db.read_blocking(|c| {
        let count: Count = diesel::sql_query("SELECT 1::bigint AS rows").get_result(c)?;
        Ok(count.rows)
    })
}

/// One connection, which has just worked.
fn in_use(test: &TestDb) -> Db {
    let super::DatabaseUrl::Postgres(url) = test.db.url() else {
        unreachable!("it is PostgreSQL");
    };
    let db = Db::open(&DbOptions {
        connections: 1,
        ..options(url, IfMissing::Refuse)
    })
    .unwrap();
    assert_eq!(ask(&db).unwrap(), 1);
    db
}

/// Has the server close all connections but the test's own.
fn close_connections(test: &TestDb) {
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    test.db
        .read_blocking(|c| Ok::<_, DbError>(c.batch_execute(others)?))
        .unwrap();
}

#[test]
fn a_connection_that_the_server_closed_fails_once_at_most() {
    let test = TestDb::postgres();
    let db = in_use(&test);
    close_connections(&test);
    // It had just worked, so it was not asked whether it still does.
    let failure = ask(&db).unwrap_err();
    assert!(matches!(failure, DbError::Unavailable(_)), "{failure:?}");
    assert_eq!(ask(&db).unwrap(), 1);
}

#[test]
fn a_failure_that_is_kept_quiet_about_is_not_taken_for_a_connection_that_works() {
    let test = TestDb::postgres();
    let db = in_use(&test);
    close_connections(&test);
    // As a claim does that has rows from the statements before. That the connection broke
    // while it prepared a statement is nothing that Diesel remembers of it.
    let kept_quiet = db.read_blocking(|c| {
        let question = CachedSql(diesel::sql_query("SELECT 2::bigint AS rows"));
        assert!(question.get_result::<Count>(c).is_err());
        Ok::<_, DbError>(())
    });
    kept_quiet.unwrap();
    assert_eq!(ask(&db).unwrap(), 1);
}

/// Something with two connections, and a gate at which all wait who have got one.
struct Gated {
    db: Db,
    gate: Arc<(Mutex<bool>, Condvar)>,
    began: Sender<()>,
    begun: Receiver<()>,
}

impl Gated {
    fn new(folder: &Path) -> Self {
        let url = url(&folder.join("a.db"));
        let (began, begun) = channel();
        Self {
            db: Db::open(&options(&url, IfMissing::Create)).unwrap(),
            gate: Arc::default(),
            began,
            begun,
        }
    }

    /// So many who ask at the same time.
    fn read(&self, count: usize) -> Vec<JoinHandle<Result<(), DbError>>> {
        let read = |_| {
            let (db, began, gate) = (self.db.clone(), self.began.clone(), Arc::clone(&self.gate));
            tokio::spawn(async move {
                db.read(move |_| {
                    began.send(()).unwrap();
                    let (open, opened) = &*gate;
                    drop(opened.wait_while(open.lock().unwrap(), |open| !*open));
                    Ok::<_, DbError>(())
                })
                .await
            })
        };
        (0..count).map(read).collect()
    }

    /// Waits until so many have a connection, and sees to it that there are no more.
    async fn must_begin(&self, count: usize) {
        let mut begun = 0;
        while begun < count {
            begun += self.begun.try_iter().count();
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(begun + self.begun.try_iter().count(), count);
    }

    fn open(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

#[tokio::test]
async fn who_waits_for_a_connection_takes_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let gated = Gated::new(folder.path());
    let reads = gated.read(20);
    // As many as there are connections; the others have not even begun.
    gated.must_begin(2).await;
    gated.open();
    for read in reads {
        read.await.unwrap().unwrap();
    }
}

#[test]
fn a_connection_is_in_use_although_whoever_asked_has_hung_up() {
    // One thread more than there are connections.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(3)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let gated = Gated::new(folder.path());
        let hung_up = gated.read(2);
        gated.must_begin(2).await;
        for read in hung_up {
            read.abort();
            assert!(read.await.unwrap_err().is_cancelled());
        }
        let others = gated.read(20);
        gated.must_begin(0).await;
        let thread = tokio::task::spawn_blocking(|| ());
        let thread = tokio::time::timeout(Duration::from_secs(1), thread).await;
        assert!(thread.is_ok(), "those who wait take threads");
        gated.open();
        for read in others {
            read.await.unwrap().unwrap();
        }
    });
}
