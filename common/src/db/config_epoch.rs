//! The epoch of the configuration: one number for tenants, definitions, reasons, webhooks,
//! their secrets and keys, and API keys, which triggers raise in each transaction that changes
//! any of them.
//!
//! Whoever keeps such rows reads the epoch first and the rows afterwards. As long as the
//! database is at the same epoch, rows that were read since are as they stand: a change
//! becomes visible together with the epoch that it raises.

use diesel::prelude::*;

use super::connection::AnyConnection;

// As in the schema, which stands above this room.
diesel::table! {
    config_epoch (id) {
        id -> SmallInt,
        epoch -> BigInt,
    }
}

/// Which configuration. No two that differ have the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigEpoch(i64);

impl From<i64> for ConfigEpoch {
    fn from(number: i64) -> Self {
        Self(number)
    }
}

impl ConfigEpoch {
    /// That of the configuration that the database has now.
    pub fn current(connection: &mut AnyConnection) -> QueryResult<Self> {
        let epoch = config_epoch::table.find(1).select(config_epoch::epoch);
        Ok(Self(epoch.first(connection)?))
    }

    pub(super) fn number(&self) -> &i64 {
        &self.0
    }
}
