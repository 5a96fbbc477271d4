//! What is measured. Each scenario stands in a file of its own.

mod backlog;
mod claim;
mod fairness;
mod history;
mod idle;
mod latency;
mod mail;
mod take;
mod workers;
mod writes;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum as _;

use crate::figures::Report;
use crate::system::{Backend, Plan};

/// How long nothing may arrive before a measurement is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A scenario by its name on the command line, in the order in which they are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// Actions as fast as they are answered, to one webhook
    Take,
    /// The same to ten webhooks
    Fanout,
    /// Deliveries that wait, worked off by one worker
    Backlog,
    /// Fifty actions a second: from the POST to the arrival
    Latency,
    /// Mails that wait, handed to a mail server by one worker
    Mail,
    /// One, two and four workers, and a receiver that takes 20 ms
    Workers,
    /// CPU and memory when there is nothing to do
    Idle,
    /// Twenty healthy webhooks beside hanging ones and a backlog
    Fairness,
    /// A claim and a settle beside rows of another webhook, and beside old attempts
    Claim,
    /// Actions taken, against a bare loop that writes the same rows
    Writes,
    /// Memory, rates, claims beside much that was delivered before
    History,
}

impl Scenario {
    /// As on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether there is something to measure: on SQLite the worker is part of the one
    /// process, and there are no more of them.
    pub fn runs_on(self, backend: Backend) -> bool {
        self != Self::Workers || backend == Backend::Postgres
    }

    /// Measures it once.
    pub async fn run(self, bench: &Bench<'_>, report: &mut Report) -> Result<()> {
        match self {
            Self::Take => take::run(bench, report, 1).await,
            Self::Fanout => take::run(bench, report, 10).await,
            Self::Backlog => backlog::run(bench, report).await,
            Self::Latency => latency::run(bench, report).await,
            Self::Mail => mail::run(bench, report).await,
            Self::Workers => workers::run(bench, report).await,
            Self::Idle => idle::run(bench, report).await,
            Self::Fairness => fairness::run(bench, report).await,
            Self::Claim => claim::run(bench, report).await,
            Self::Writes => writes::run(bench, report).await,
            Self::History => history::run(bench, report).await,
        }
    }
}

/// What all scenarios go by.
#[derive(Debug)]
pub struct Bench<'a> {
    /// Where the binaries are.
    pub binaries: &'a Path,
    /// On which database.
    pub backend: Backend,
    /// Actions, where that is a matter of choice.
    pub actions: usize,
    /// Connections that take actions.
    pub clients: usize,
    /// Deliveries that wait, where that is a matter of choice.
    pub pending: usize,
    /// Rows of another webhook.
    pub rows: usize,
    /// What was delivered before.
    pub history: usize,
}

impl Bench<'_> {
    fn plan(&self, workers: usize) -> Plan {
        Plan {
            binaries: self.binaries.to_owned(),
            backend: self.backend,
            workers,
            settings: Vec::new(),
        }
    }

    /// The name of a figure on this database.
    fn name(&self, scenario: &str) -> String {
        format!("{scenario}/{}", self.backend.name())
    }
}
