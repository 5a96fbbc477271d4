//! What stands in a database, whatever queries show of it.

use diesel::connection::SimpleConnection;
use diesel::{PgConnection, QueryResult, RunQueryDsl};

use crate::db::{AnyConnection, Db, DbError};

/// All that a database holds, as bytes: on SQLite the file itself, with what is not yet in it;
/// on PostgreSQL the rows of all tables.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn everything(db: &Db) -> Vec<u8> {
    let bytes = db.read_blocking(|connection| match connection {
        AnyConnection::Pg(connection) => Ok::<_, DbError>(all_rows(connection)?.into_bytes()),
        AnyConnection::Sqlite(connection) => {
            connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
            let path = db.url().sqlite_path().expect("a file");
            let mut bytes = std::fs::read(path).expect("the file is readable");
            let mut log = path.as_os_str().to_owned();
            log.push("-wal");
            bytes.extend(std::fs::read(log).unwrap_or_default());
            Ok(bytes)
        }
    });
    bytes.expect("the database is readable")
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

fn all_rows(connection: &mut PgConnection) -> QueryResult<String> {
    let tables: Vec<Line> = diesel::sql_query(
        "SELECT table_name::text AS line FROM information_schema.tables
         WHERE table_schema = current_schema()",
    )
    .load(connection)?;
    let mut all = String::new();
    for Line { line: table } in tables {
        let rows: Vec<Line> =
            diesel::sql_query(format!("SELECT t::text AS line FROM {table} t")).load(connection)?;
        all.extend(rows.into_iter().map(|row| row.line + "\n"));
    }
    Ok(all)
}

/// Whether these bytes hold that text.
#[must_use]
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}
