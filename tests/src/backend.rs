//! One empty database per test, on either backend, and a look inside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tempfile::TempDir;

use crate::postgres;

/// The databases that Beadle runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Makes each named `async fn(TestDatabase)` of the module two tests, `name::sqlite` and
/// `name::postgres`.
///
/// The functions stay plain functions, so that rustfmt and editors understand them; one
/// that is missing from the list is dead code, which the lints refuse.
#[macro_export]
macro_rules! both_backends {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            $crate::on_backend!(@test sqlite Sqlite $name);
            $crate::on_backend!(@test postgres Postgres $name);
        }
    )+};
}

/// Like [`both_backends!`] for a promise that only one of them makes:
/// `on_backend!(postgres Postgres: name)`.
#[macro_export]
macro_rules! on_backend {
    (@test $test:ident $backend:ident $name:ident) => {
        #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            let backend = $crate::Backend::$backend;
            super::$name($crate::TestDatabase::create(backend).await).await;
        }
    };
    ($test:ident $backend:ident: $($name:ident),+ $(,)?) => {$(
        mod $name {
            $crate::on_backend!(@test $test $backend $name);
        }
    )+};
}

enum Store {
    Sqlite { file: PathBuf, _dir: TempDir },
    Postgres(postgres::Database),
}

/// An empty database of a test's own; gone when dropped.
pub struct TestDatabase {
    store: Store,
}

impl TestDatabase {
    /// Makes one. On SQLite this is only a path: the binary under test makes the file.
    pub async fn create(backend: Backend) -> Self {
        let make = move || match backend {
            Backend::Sqlite => {
                let dir = TempDir::with_prefix("beadle-test-").expect("a temporary folder");
                let file = dir.path().join("beadle.db");
                Store::Sqlite { file, _dir: dir }
            }
            Backend::Postgres => Store::Postgres(postgres::Database::create()),
        };
        let store = tokio::task::spawn_blocking(make).await;
        Self {
            store: store.expect("the database was made"),
        }
    }

    /// Makes one on a server that the test may kill.
    pub async fn create_on(server: &std::sync::Arc<postgres::MortalServer>) -> Self {
        let server = std::sync::Arc::clone(server);
        let make = move || Store::Postgres(postgres::Database::create_on(server.url()));
        let store = tokio::task::spawn_blocking(make).await;
        Self {
            store: store.expect("the database was made"),
        }
    }

    /// Which kind it is.
    pub fn backend(&self) -> Backend {
        match self.store {
            Store::Sqlite { .. } => Backend::Sqlite,
            Store::Postgres(_) => Backend::Postgres,
        }
    }

    /// The `DATABASE_URL` of it.
    pub fn url(&self) -> String {
        match &self.store {
            Store::Sqlite { file, .. } => format!("sqlite://{}", file.display()),
            Store::Postgres(database) => database.url().to_owned(),
        }
    }

    /// The file, on SQLite.
    pub fn file(&self) -> Option<&Path> {
        match &self.store {
            Store::Sqlite { file, .. } => Some(file),
            Store::Postgres(_) => None,
        }
    }

    /// Keeps everybody else from changing the outbox until the lock is dropped: nothing is
    /// claimed or settled meanwhile.
    pub fn lock_outbox(&self) -> OutboxLock {
        let begin = match self.backend() {
            Backend::Sqlite => "BEGIN IMMEDIATE",
            Backend::Postgres => "BEGIN; LOCK TABLE outbox IN EXCLUSIVE MODE",
        };
        let lock = |mut conn: Conn| conn.execute(begin).map(|()| OutboxLock(conn));
        self.connect()
            .and_then(lock)
            .unwrap_or_else(|error| panic!("{begin}: {error}"))
    }

    /// Runs statements, for tests that break something on purpose.
    pub fn execute(&self, sql: &str) {
        self.on_connection(|conn| conn.execute(sql))
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The one whole number that a query answers.
    pub fn number(&self, sql: &str) -> i64 {
        let wrapped = format!("SELECT CAST(({sql}) AS BIGINT) AS number");
        self.on_connection(|conn| conn.number(&wrapped))
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// How many rows each table has: two of these before and after tell whether something
    /// left a trace.
    pub fn row_counts(&self) -> BTreeMap<String, i64> {
        let names = match self.backend() {
            Backend::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            }
            Backend::Postgres => {
                "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'"
            }
        };
        let tables = self
            .on_connection(|conn| conn.names(names))
            .unwrap_or_else(|error| panic!("{names}: {error}"));
        tables
            .into_iter()
            .map(|table| {
                let rows = self.number(&format!("SELECT count(*) FROM \"{table}\""));
                (table, rows)
            })
            .collect()
    }

    /// Whether any row of any table has this text. On SQLite [`Self::contains`] may still
    /// find it, in pages that are free.
    pub fn has_row_with(&self, needle: &str) -> bool {
        if self.backend() == Backend::Postgres {
            return self.contains(needle);
        }
        self.row_counts().keys().any(|table| {
            let columns = format!("SELECT name FROM pragma_table_info('{table}')");
            let columns = self
                .on_connection(|conn| conn.names(&columns))
                .unwrap_or_else(|error| panic!("{columns}: {error}"));
            let has = |column: String| {
                format!("instr(CAST(\"{column}\" AS BLOB), CAST('{needle}' AS BLOB)) > 0")
            };
            let any: Vec<String> = columns.into_iter().map(has).collect();
            let sql = format!(
                "SELECT count(*) FROM \"{table}\" WHERE {}",
                any.join(" OR ")
            );
            self.number(&sql) > 0
        })
    }

    /// Whether the stored data has this text anywhere, as it would be found by someone who
    /// has the files: as text in any column, or within raw bytes.
    pub fn contains(&self, needle: &str) -> bool {
        match &self.store {
            Store::Sqlite { file, .. } => ["", "-wal"].iter().any(|suffix| {
                let bytes = std::fs::read(format!("{}{suffix}", file.display()));
                let bytes = bytes.unwrap_or_default();
                bytes
                    .windows(needle.len())
                    .any(|window| window == needle.as_bytes())
            }),
            Store::Postgres(_) => self.row_counts().keys().any(|table| {
                // Raw bytes are shown in hexadecimal.
                let sql = format!(
                    "SELECT count(*) FROM \"{table}\" AS r
                     WHERE strpos(r::text, '{needle}') > 0
                        OR strpos(r::text, encode('{needle}'::bytea, 'hex')) > 0"
                );
                self.number(&sql) > 0
            }),
        }
    }

    fn on_connection<T>(
        &self,
        work: impl FnOnce(&mut Conn) -> diesel::QueryResult<T>,
    ) -> diesel::QueryResult<T> {
        work(&mut self.connect()?)
    }

    fn connect(&self) -> diesel::QueryResult<Conn> {
        Ok(match &self.store {
            Store::Sqlite { file, .. } => {
                let path = file.display().to_string();
                let mut conn = SqliteConnection::establish(&path).expect("the SQLite file opens");
                conn.batch_execute("PRAGMA busy_timeout = 10000")?;
                Conn::Sqlite(conn)
            }
            Store::Postgres(database) => Conn::Postgres(
                PgConnection::establish(database.url()).expect("the test's database answers"),
            ),
        })
    }
}

/// The outbox, locked by a transaction that comes to nothing when this is dropped.
pub struct OutboxLock(Conn);

impl Drop for OutboxLock {
    fn drop(&mut self) {
        // Should that fail, the lock ends with the connection right after.
        let _ = self.0.execute("ROLLBACK");
    }
}

/// A connection past the binaries under test.
enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Conn {
    fn execute(&mut self, sql: &str) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(sql),
            Self::Postgres(conn) => conn.batch_execute(sql),
        }
    }

    fn number(&mut self, sql: &str) -> diesel::QueryResult<i64> {
        let row: Number = match self {
            Self::Sqlite(conn) => sql_query(sql).get_result(conn)?,
            Self::Postgres(conn) => sql_query(sql).get_result(conn)?,
        };
        Ok(row.number)
    }

    fn names(&mut self, sql: &str) -> diesel::QueryResult<Vec<String>> {
        let rows: Vec<Name> = match self {
            Self::Sqlite(conn) => sql_query(sql).load(conn)?,
            Self::Postgres(conn) => sql_query(sql).load(conn)?,
        };
        Ok(rows.into_iter().map(|row| row.name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::both_backends!(rows_are_counted_table_by_table, text_is_found_in_any_column);

    async fn rows_are_counted_table_by_table(db: TestDatabase) {
        db.execute("CREATE TABLE a (n BIGINT); CREATE TABLE b (n BIGINT)");
        db.execute("INSERT INTO a VALUES (1), (2)");
        let counts = db.row_counts();
        assert_eq!(counts.get("a"), Some(&2));
        assert_eq!(counts.get("b"), Some(&0));
        assert_eq!(db.number("SELECT max(n) FROM a"), 2);
    }

    async fn text_is_found_in_any_column(db: TestDatabase) {
        let bytes = match db.backend() {
            Backend::Sqlite => ("BLOB", "CAST('needle' AS BLOB)"),
            Backend::Postgres => ("BYTEA", "'needle'::bytea"),
        };
        db.execute(&format!("CREATE TABLE a (t TEXT, b {})", bytes.0));
        assert!(!db.contains("needle") && !db.has_row_with("needle"));
        db.execute(&format!("INSERT INTO a (b) VALUES ({})", bytes.1));
        db.execute("INSERT INTO a (t) VALUES ('in a haystack')");
        assert!(db.contains("needle"));
        assert!(db.contains("haystack"));
        assert!(db.has_row_with("needle") && db.has_row_with("haystack"));
    }
}
