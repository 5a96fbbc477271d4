//! Measures Beadle: `cargo run --release -p beadle-bench`. See `docs/benchmarks.md`.
//!
//! Each scenario starts its own Beadle on its own database, with load driver and receiver
//! in this process, and tells one line of figures.

mod client;
mod clock;
mod figures;
mod fill;
mod load;
mod machine;
mod mailbox;
mod receiver;
mod scenarios;
mod system;
mod tally;
mod usage;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

use figures::Report;
use machine::Condition;
use scenarios::{Bench, Scenario};
use system::Backend;

/// Measures Beadle: load, latency, backlog, fairness, memory and idle cost.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure; everything unless named
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// On which database; both unless named
    #[arg(long, value_enum)]
    backend: Vec<Backend>,
    /// Rounds of everything; the summary shows medians
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Actions of one scenario, where that is a matter of choice
    #[arg(long, default_value_t = 10_000)]
    actions: usize,
    /// Connections that take actions
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Deliveries that wait: in `fairness` for those that hang, in `history` for the worker
    #[arg(long, default_value_t = 100_000)]
    pending: usize,
    /// Rows of another webhook that `claim` is measured beside, after a thousand
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// What was delivered before: deliveries in `history`, attempts and deliveries in `claim`
    #[arg(long, default_value_t = 1_000_000)]
    history: usize,
    /// The folder of beadle-api and beadle-worker; that of this program unless named
    #[arg(long)]
    binaries: Option<PathBuf>,
    /// A file that each figure is appended to as a line of JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let mut report = Report::new(options.json.as_deref())?;
    let binaries = match &options.binaries {
        Some(folder) => folder.clone(),
        None => {
            let own = std::env::current_exe()?;
            own.parent()
                .context("a program stands in a folder")?
                .to_owned()
        }
    };
    let backends = match options.backend.as_slice() {
        [] => vec![Backend::Postgres, Backend::Sqlite],
        named => named.to_vec(),
    };
    let scenarios = match options.scenarios.as_slice() {
        [] => Scenario::ALL.to_vec(),
        named => named.to_vec(),
    };
    for round in 1..=options.rounds {
        figures::say(&format!("round {round} of {}", options.rounds));
        for scenario in &scenarios {
            for backend in &backends {
                let before = Condition::now()?;
                let bench = options.bench(&binaries, *backend);
                scenario.run(&bench, &mut report).await?;
                report.close(round, before, Condition::now()?)?;
            }
        }
    }
    report.table();
    let rejected = report.rejected();
    if rejected == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    figures::say(&format!(
        "{rejected} runs were rejected: repeat them when the machine is quiet"
    ));
    Ok(ExitCode::FAILURE)
}

impl Options {
    fn bench<'a>(&self, binaries: &'a Path, backend: Backend) -> Bench<'a> {
        Bench {
            binaries,
            backend,
            actions: self.actions,
            clients: self.clients,
            pending: self.pending,
            rows: self.rows,
            history: self.history,
        }
    }
}
