//! Whether the database can be written: after a failover a connection may lead to a server that
//! answers every question and takes no change.

use diesel::{QueryResult, RunQueryDsl};

use super::connection::AnyConnection;

/// Asks for what only a server that may write permits, and changes nothing.
///
/// # Errors
/// What a change would fail with, if the server takes none. On SQLite there is one file, and
/// whether it can be read.
pub fn ask_to_write(connection: &mut AnyConnection) -> QueryResult<()> {
    // A lock on no row at all. A server that refuses it does so before it looks for rows, and by
    // the same error as a change, so that the pool throws the connection away.
    let sql = match connection {
        AnyConnection::Pg(_) => "SELECT FROM config_epoch WHERE false FOR KEY SHARE",
        AnyConnection::Sqlite(_) => "SELECT epoch FROM config_epoch",
    };
    diesel::sql_query(sql).execute(connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::db::DbError;
    use crate::test_support::TestDb;

    /// Has the only connection of the pool be one to a server that takes no changes.
    fn demote(test: &TestDb) {
        let sql = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY";
        test.db
            .read_blocking(|connection| Ok::<_, DbError>(connection.batch_execute(sql)?))
            .unwrap();
    }

    fn write(test: &TestDb) -> Result<(), DbError> {
        let sql = "UPDATE config_epoch SET epoch = epoch + 1";
        test.db
            .write_blocking(move |connection| Ok(connection.batch_execute(sql)?))
    }

    fn ask(test: &TestDb) -> Result<(), DbError> {
        test.db
            .read_blocking(|connection| Ok(ask_to_write(connection)?))
    }

    #[test]
    fn a_connection_that_may_not_write_is_given_up_after_one_refusal() {
        let test = TestDb::postgres();
        demote(&test);
        let refused = write(&test).unwrap_err();
        assert!(matches!(refused, DbError::Unavailable(_)), "{refused:?}");
        write(&test).unwrap();
    }

    #[test]
    fn who_asks_whether_it_may_write_is_told_and_changes_nothing() {
        let test = TestDb::postgres();
        ask(&test).unwrap();
        demote(&test);
        let refused = ask(&test).unwrap_err();
        assert!(matches!(refused, DbError::Unavailable(_)), "{refused:?}");
        ask(&test).unwrap();
    }
}
