//! The database: which one, connections, transactions, migrations.
//!
//! What differs between SQLite and PostgreSQL is decided here and in
//! [`crate::outbox`], nowhere else. Start at [`Db`].

mod batcher;
pub(crate) mod bulk;
mod cached_sql;
mod config_epoch;
mod connection;
mod error;
mod json;
mod json_text;
mod manager;
mod migrate;
mod notifier;
mod notify;
#[cfg(test)]
mod open_tests;
mod per_backend;
mod pool;
mod pooled;
#[cfg(test)]
mod pooled_tests;
mod row_lock;
#[cfg(test)]
mod schema_tests;
mod sql_function;
pub(crate) mod sql_type;
mod sqlite_writer;
#[cfg(test)]
mod sqlite_writer_tests;
mod statements;
mod url;
mod writable;

pub use batcher::{BatchOutcome, Batcher, Threads};
pub(crate) use cached_sql::CachedInList;
pub use cached_sql::CachedSql;
pub use config_epoch::ConfigEpoch;
pub use connection::{AnyConnection, MultiBackend};
/// What a query of the model fails with; [`DbError`] says what that means.
pub use diesel::result::{Error as QueryError, QueryResult};
pub use error::DbError;
pub(crate) use error::one_line;
pub use json::Json;
pub use json_text::JsonText;
pub use manager::{IfMissing, SqliteSynchronous};
pub use notifier::Notice;
pub use notify::{Wake, WakeSource};
pub use per_backend::PerBackend;
pub use pool::{Connections, Db, DbOptions};
pub use pooled::CHECKOUT_TIMEOUT;
pub(crate) use row_lock::{Locking, RowLock};
pub(crate) use sql_function::lower;
pub use sql_type::SqlUuid;
pub use statements::Statements;
pub use url::{Backend, DatabaseUrl, DatabaseUrlError};
pub use writable::ask_to_write;
