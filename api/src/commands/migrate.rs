//! `beadle-api migrate`: brings the tables up to date. Every process does so at its
//! start; this is for those who want to do it before.

use beadle_common::db::IfMissing;
use beadle_common::settings::{DatabaseSettings, LogSettings};
use clap::Args;

use super::Failure;

/// The settings of a migration.
#[derive(Debug, Clone, Args)]
pub struct Migrate {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    log: LogSettings,
}

impl Migrate {
    #[expect(clippy::print_stdout, reason = "the command's answer")]
    pub(super) fn run(self) -> Result<(), Failure> {
        self.log.start();
        let db = self.database.open(IfMissing::Create)?;
        println!("{} is up to date", db.url());
        Ok(())
    }
}
