//! Brings the tables up to date, whoever comes first.
//!
//! Every process does this at its start. One gets the lock, the others wait for it
//! and find nothing left to do.

use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Bool};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::AnyConnection;
use super::error::{DbError, one_line};
use super::sqlite_writer;

const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// Key of the advisory lock: "beadle" in ASCII.
const LOCK: i64 = 0x0062_6561_646c_6500;

/// How long to wait for another process's migration.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(100);

/// Applies what is missing and returns its names.
pub(super) fn run(connection: &mut AnyConnection) -> Result<Vec<String>, DbError> {
    match connection {
        AnyConnection::Pg(c) => postgres(c),
        AnyConnection::Sqlite(_) => sqlite(connection),
    }
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

fn postgres(connection: &mut PgConnection) -> Result<Vec<String>, DbError> {
    // In a loop, on the connection that migrates: a lock that waits inside the server
    // holds a snapshot, and `CREATE INDEX CONCURRENTLY` would wait for that in turn.
    patiently(|| {
        let row: Locked = diesel::sql_query("SELECT pg_try_advisory_lock($1) AS locked")
            .bind::<BigInt, _>(LOCK)
            .get_result(connection)?;
        Ok(row.locked.then_some(()))
    })?;
    let applied = apply(connection, POSTGRES);
    let unlocked = diesel::sql_query("SELECT pg_advisory_unlock($1)")
        .bind::<BigInt, _>(LOCK)
        .execute(connection);
    let applied = applied?;
    unlocked?;
    Ok(applied)
}

fn sqlite(connection: &mut AnyConnection) -> Result<Vec<String>, DbError> {
    patiently(|| match use_wal(connection) {
        Ok(()) => Ok(Some(())),
        Err(DbError::Unavailable(_)) => Ok(None),
        Err(error) => Err(error),
    })?;
    // Another process's migration may take longer than the busy time-out.
    patiently(
        || match sqlite_writer::begin(connection).map_err(DbError::from) {
            Ok(()) => Ok(Some(())),
            Err(DbError::Unavailable(_)) => Ok(None),
            Err(error) => Err(error),
        },
    )?;
    let applied = connection.transaction(|c| match c {
        AnyConnection::Sqlite(c) => apply(c, SQLITE),
        AnyConnection::Pg(_) => Ok(Vec::new()),
    });
    match applied {
        Ok(applied) => {
            sqlite_writer::commit(connection)?;
            Ok(applied)
        }
        // The caller drops the connection, which rolls back.
        Err(error) => Err(error),
    }
}

/// Write-ahead logging lets readers go on while one writes. The file remembers it.
fn use_wal(connection: &mut AnyConnection) -> Result<(), DbError> {
    Ok(connection.batch_execute("PRAGMA journal_mode = WAL;")?)
}

fn apply<C, DB>(connection: &mut C, migrations: EmbeddedMigrations) -> Result<Vec<String>, DbError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
{
    match connection.run_pending_migrations(migrations) {
        Ok(versions) => Ok(versions.iter().map(ToString::to_string).collect()),
        Err(error) => Err(DbError::Unavailable(format!(
            "a migration failed: {}",
            one_line(&*error)
        ))),
    }
}

fn patiently(mut attempt: impl FnMut() -> Result<Option<()>, DbError>) -> Result<(), DbError> {
    let started = Instant::now();
    loop {
        if attempt()?.is_some() {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(DbError::Unavailable(
                "another process has held the migration lock for ten minutes".to_owned(),
            ));
        }
        thread::sleep(PAUSE);
    }
}
