//! The database: which one, connections, transactions, migrations.
//!
//! What differs between SQLite and PostgreSQL is decided here and in
//! [`crate::outbox`], nowhere else. Start at [`Db`].

pub(crate) mod bulk;
mod connection;
mod error;
mod gather;
mod json;
mod json_text;
mod manager;
mod migrate;
mod native;
mod notifier;
mod notify;
#[cfg(test)]
mod open_test;
mod pool;
mod pooled;
#[cfg(test)]
mod pooled_test;
mod prepared;
mod released;
mod row_lock;
#[cfg(test)]
mod schema_test;
pub(crate) mod sql_type;
mod sqlite_writer;
#[cfg(test)]
mod sqlite_writer_test;
mod statements;
mod url;

pub use connection::{AnyConnection, MultiBackend};
/// What a query of the model fails with; [`DbError`] says what that means.
pub use diesel::result::{Error as QueryError, QueryResult};
pub use error::DbError;
pub(crate) use error::one_line;
pub use gather::{Gather, Gathered, Threads};
pub use json::Json;
pub use json_text::JsonText;
pub use manager::{IfMissing, SqliteSynchronous};
pub use native::Native;
pub use notifier::Notice;
pub use notify::{Wake, WakeSource};
pub use pool::{Connections, Db, DbOptions};
pub use pooled::CHECKOUT_TIMEOUT;
pub(crate) use prepared::Listing;
pub use prepared::Prepared;
pub(crate) use row_lock::{Locking, RowLock};
pub use sql_type::SqlUuid;
pub use statements::Statements;
pub use url::{Backend, DatabaseUrl, DatabaseUrlError};
