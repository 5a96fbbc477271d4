//! `beadle-api rotate-secret-key`: seals everything with the first of the secret keys, so
//! that the others can be taken out of the list. Runs beside the servers.

use beadle_common::db::IfMissing;
use beadle_common::rotate_secret_key::{RotatedTable, rotate_secret_key};
use beadle_common::settings::{DatabaseSettings, LogSettings, SecretKeySettings};
use clap::Args;

use super::Failure;

/// The settings of a rotation.
#[derive(Debug, Clone, Args)]
pub struct RotateSecretKey {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    secret_key: SecretKeySettings,
    #[command(flatten)]
    log: LogSettings,
}

impl RotateSecretKey {
    #[expect(clippy::print_stdout, reason = "the command's answer")]
    pub(super) fn run(self) -> Result<(), Failure> {
        self.log.start();
        let db = self.database.open(IfMissing::Refuse)?;
        let sealer = self.secret_key.sealer(&db)?;
        let report = rotate_secret_key(&db, &sealer)?;
        for column in &report {
            println!("{}", line(column));
        }
        let failed: Vec<String> = report.iter().flat_map(failures).collect();
        if !failed.is_empty() {
            let error = anyhow::anyhow!("some secrets cannot be opened: {}", failed.join("; "));
            return Err(Failure::Other(error));
        }
        println!("everything is sealed with the first key: the others can be taken out");
        Ok(())
    }
}

fn line(column: &RotatedTable) -> String {
    let RotatedTable {
        column,
        rewritten,
        current,
        failed,
    } = column;
    let failed = match failed.len() {
        0 => String::new(),
        count => format!(", {count} cannot be opened"),
    };
    format!("{column}: {rewritten} rewritten, {current} current already{failed}")
}

/// A few of them: with a wrong key, it is all.
fn failures(column: &RotatedTable) -> impl Iterator<Item = String> {
    let failure =
        move |(row, reason): &(_, String)| format!("{} of {row}: {reason}", column.column);
    column.failed.iter().take(3).map(failure)
}
