//! Beadle as it is deployed, started for one measurement: a database, the API, workers,
//! and in it a definition, users and webhooks.

mod process;
mod stock;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use beadle_bench::Postgres;
use hyper::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Api, Connection};
use crate::usage;
pub use process::{Process, free_address};
pub use stock::Stock;

/// How long a server may take until it answers.
const START: Duration = Duration::from_secs(60);

/// Whether the worker runs within the API's process.
const EMBEDDED: &str = "BEADLE_EMBEDDED_WORKER";

/// The database under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// One file, and the worker within the API's process.
    Sqlite,
    /// A server of its own with fsync on, and workers as processes.
    Postgres,
}

impl Backend {
    /// For the names of figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What is started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the binaries are.
    pub binaries: PathBuf,
    /// On which database.
    pub backend: Backend,
    /// Workers that start with the API; on SQLite, one or none.
    pub workers: usize,
    /// Further settings.
    pub settings: Vec<(String, String)>,
}

impl Plan {
    /// The same with another setting.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Everything that runs. Ends when dropped.
#[derive(Debug)]
pub struct System {
    plan: Plan,
    settings: Vec<(String, String)>,
    /// How to reach the API.
    pub api: Api,
    server: Process,
    workers: Vec<Process>,
    postgres: Option<Postgres>,
    database: String,
    dir: TempDir,
}

impl System {
    /// Starts it, and waits until the API answers.
    pub async fn start(plan: Plan) -> Result<Self> {
        let dir = TempDir::with_prefix("beadle-bench-")?;
        let postgres = match plan.backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Postgres::start()?),
        };
        let database = match &postgres {
            Some(postgres) => postgres.url().to_owned(),
            None => format!("sqlite://{}", dir.path().join("beadle.db").display()),
        };
        let address = free_address()?;
        let key = uuid::Uuid::new_v4().to_string();
        let embedded = plan.backend == Backend::Sqlite && plan.workers > 0;
        let mut settings: Vec<(String, String)> = [
            ("DATABASE_URL", database.as_str()),
            ("BEADLE_LISTEN", &address),
            ("BEADLE_API_KEY", &key),
            ("BEADLE_SECRET_KEY", &"5c".repeat(32)),
            ("BEADLE_WEBHOOK_ALLOW", "127.0.0.0/8"),
            (EMBEDDED, if embedded { "true" } else { "false" }),
            ("RUST_LOG", "error"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        settings.extend(plan.settings.iter().cloned());
        let server = Process::start(&plan.binaries.join("beadle-api"), &settings, dir.path())?;
        let mut system = Self {
            api: Api { address, key },
            server,
            workers: Vec::new(),
            postgres,
            database: database.clone(),
            settings,
            dir,
            plan,
        };
        system.wait_until_it_answers().await?;
        if !embedded {
            for _ in 0..system.plan.workers {
                system.start_worker()?;
            }
        }
        Ok(system)
    }

    /// One more worker process.
    pub fn start_worker(&mut self) -> Result<()> {
        let binary = self.plan.binaries.join("beadle-worker");
        let worker = Process::start(&binary, &self.settings, self.dir.path())?;
        self.workers.push(worker);
        Ok(())
    }

    /// Delivery begins now, in a system that was started without workers: by a worker
    /// process, or on SQLite by the API's process, which is started again.
    pub async fn begin_delivering(&mut self) -> Result<()> {
        if self.plan.backend == Backend::Postgres {
            return self.start_worker();
        }
        self.embed("true");
        self.start_api().await
    }

    /// Ends everything but the database.
    pub fn pause(&mut self) {
        self.workers.clear();
        self.server.end();
    }

    /// Starts the API again, without a worker.
    pub async fn resume(&mut self) -> Result<()> {
        self.embed("false");
        self.start_api().await
    }

    fn embed(&mut self, worker: &str) {
        for (name, value) in &mut self.settings {
            if name == EMBEDDED {
                worker.clone_into(value);
            }
        }
    }

    async fn start_api(&mut self) -> Result<()> {
        self.server.end();
        let binary = self.plan.binaries.join("beadle-api");
        self.server = Process::start(&binary, &self.settings, self.dir.path())?;
        self.wait_until_it_answers().await
    }

    /// Where the database is.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// API, workers, and the database's server.
    pub fn processes(&self) -> Vec<u32> {
        let database = self.postgres.iter().map(Postgres::id);
        self.own_processes().into_iter().chain(database).collect()
    }

    /// API and workers.
    pub fn own_processes(&self) -> Vec<u32> {
        let workers = self.workers.iter().map(Process::id);
        workers.chain([self.server.id()]).collect()
    }

    /// CPU time used so far by everything but driver and receiver.
    pub fn cpu(&self) -> Duration {
        usage::cpu(&self.processes())
    }

    async fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + START;
        loop {
            self.server.check()?;
            let mut connection = Connection::new(&self.api);
            if connection
                .call(Method::GET, "/api/status", &Value::Null)
                .await
                .is_ok()
            {
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "beadle-api has not answered for {START:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
