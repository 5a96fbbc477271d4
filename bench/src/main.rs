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
mod round;
mod scenarios;
mod system;
mod tally;
mod usage;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum as _};
use tokio::signal::unix::{SignalKind, signal};

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

/// What a shell tells of a program that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(measure(&options));
    // Whoever interrupts does not wait for a thread that still fills a database.
    runtime.shutdown_background();
    ended
}

/// Everything that is asked for, and the table; the table also of what was measured before
/// an interruption, which drops all that was started: processes end, files are removed.
async fn measure(options: &Options) -> Result<ExitCode> {
    let mut report = Report::new(options.json.as_deref())?;
    let binaries = options.binaries()?;
    if cfg!(debug_assertions) {
        figures::say("this is a debug build: its figures tell whether everything runs, no more");
    }
    let interrupted = tokio::select! {
        biased;
        signal = told_to_stop() => signal.map(|()| true),
        ended = rounds(options, &binaries, &mut report) => ended.map(|()| false),
    }?;
    report.table();
    let all_count = report.say_what_does_not_count();
    Ok(match (interrupted, all_count) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}

async fn rounds(options: &Options, binaries: &Path, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    let runs = options.runs();
    for round in 1..=options.rounds {
        for (number, (scenario, backend)) in (1..).zip(&runs) {
            let run = format!("{} on {}", scenario.name(), backend.name());
            let (rounds, all, minutes) =
                (options.rounds, runs.len(), began.elapsed().as_secs() / 60);
            figures::say(&format!(
                "round {round} of {rounds}, run {number} of {all}: {run} (after {minutes} min)"
            ));
            report.begin(run, round);
            let before = Condition::now()?;
            if let Some(objection) = before.objection(before) {
                figures::say(&format!("  this run will not count: {objection}"));
            }
            let bench = options.bench(binaries, *backend);
            match scenario.run(&bench, report).await {
                Ok(()) => report.close(before, Condition::now()?)?,
                Err(error) => report.fail(&error),
            }
        }
    }
    Ok(())
}

async fn told_to_stop() -> Result<()> {
    let [mut hangup, mut interrupt, mut terminate] = [
        signal(SignalKind::hangup())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    ];
    tokio::select! {
        _ = hangup.recv() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

impl Options {
    /// What is run in each round: each scenario on each database that it says something of.
    fn runs(&self) -> Vec<(Scenario, Backend)> {
        let backends = match self.backend.as_slice() {
            [] => &[Backend::Postgres, Backend::Sqlite],
            named => named,
        };
        let scenarios = match self.scenarios.as_slice() {
            [] => Scenario::value_variants(),
            named => named,
        };
        let pairs = scenarios.iter().flat_map(|scenario| {
            let pair = |backend: &Backend| (*scenario, *backend);
            backends.iter().map(pair)
        });
        pairs
            .filter(|(scenario, backend)| scenario.runs_on(*backend))
            .collect()
    }

    /// Where the binaries are, both of them.
    fn binaries(&self) -> Result<PathBuf> {
        let own = std::env::current_exe()?;
        let folder = match &self.binaries {
            Some(folder) => folder.canonicalize().unwrap_or_else(|_| folder.clone()),
            None => {
                let folder = own.parent().context("a program stands in a folder")?;
                folder.to_owned()
            }
        };
        for name in ["beadle-api", "beadle-worker"] {
            ensure!(
                folder.join(name).is_file(),
                "there is no {name} in {}; run cargo build --release --workspace first, or name \
                 its folder with --binaries",
                folder.display()
            );
        }
        Ok(folder)
    }

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
