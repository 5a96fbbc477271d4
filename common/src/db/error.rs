//! What can go wrong between a caller and the database.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failed access to the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached, or is too busy: trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A unique value is already there.
    #[error("a unique value is already in use")]
    Duplicate(#[source] DieselError),
    /// A row refers to one that does not exist (any more), or is still referred to.
    #[error("a reference does not hold")]
    Reference(#[source] DieselError),
    /// Another transaction was in the way: doing the same again may succeed.
    #[error("another change came in between")]
    Conflict(#[source] DieselError),
    /// Somebody else holds a row and has not let go of it for as long as one waits. Nothing was
    /// done, and trying again later may help.
    #[error("another change has been in the way for too long")]
    Locked(#[source] DieselError),
    /// Anything else: a fault in the program, the schema, or the disk.
    #[error("the database refused a statement")]
    Query(#[source] DieselError),
}

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, information) = &error else {
            return match error {
                DieselError::BrokenTransactionManager => Self::Unavailable(error.to_string()),
                error => Self::Query(error),
            };
        };
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Duplicate(error),
            DatabaseErrorKind::ForeignKeyViolation => Self::Reference(error),
            DatabaseErrorKind::SerializationFailure => Self::Conflict(error),
            // A server that was the primary, or that is told not to write: another one does.
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction => {
                Self::Unavailable(error.to_string())
            }
            // Diesel has no kinds for these; the texts are those of SQLite (SQLITE_BUSY,
            // SQLITE_LOCKED) and of PostgreSQL (40P01, 55P03, 57P01 to 57P03, libpq).
            _ => match information.message() {
                m if m.contains("database is locked") || m.contains("table is locked") => {
                    Self::Unavailable(error.to_string())
                }
                m if m.contains("deadlock detected") => Self::Conflict(error),
                m if m.contains("due to lock timeout") => Self::Locked(error),
                m if is_connection_lost(m) => Self::Unavailable(error.to_string()),
                _ => Self::Query(error),
            },
        }
    }
}

fn is_connection_lost(message: &str) -> bool {
    const SIGNS: [&str; 8] = [
        "terminating connection",
        "server closed the connection",
        "the database system is",
        "no connection to the server",
        "could not connect",
        "connection refused",
        "SSL connection has been closed",
        "could not receive data from server",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}

/// The error chain in one line, for logs and for a command's last words.
#[must_use]
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = words(&error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors repeat their cause in their own text.
        let cause_text = words(&cause.to_string());
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
