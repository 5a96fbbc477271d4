//! `beadle-api serve`: the API, and on SQLite the worker beside it.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use anyhow::Context;
use beadle_common::bootstrap::bootstrap;
use beadle_common::db::{Backend, Db, IfMissing, Wake};
use beadle_common::lifecycle::Setup;
use beadle_common::seal::Sealer;
use beadle_common::settings::{DatabaseSettings, LogSettings, MailSettings, SecretKeySettings};
use beadle_common::unix_millis::UnixMillis;
use beadle_worker::{ConsentClient, Metrics, Worker, WorkerSettings, signals};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{ApiSettings, Failure};
use crate::action_logs::ActionBatcher;
use crate::app::app;
use crate::background::Background;
use crate::state::{Settings, State};

/// Threads that answer requests. They wait for the database most of the time, which has
/// threads of its own.
const THREADS: usize = 2;

/// The settings of a server.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    #[command(flatten)]
    pub(crate) api: ApiSettings,
    #[command(flatten)]
    pub(crate) database: DatabaseSettings,
    #[command(flatten)]
    pub(crate) secret_key: SecretKeySettings,
    #[command(flatten)]
    pub(crate) mail: MailSettings,
    #[command(flatten)]
    pub(crate) worker: WorkerSettings,
    #[command(flatten)]
    pub(crate) log: LogSettings,
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The API key that was made up, if there was none.
    pub new_key: Option<SecretString>,
    db: Db,
    handle: ServerHandle,
    api: JoinHandle<std::io::Result<()>>,
    worker: Option<JoinHandle<()>>,
    stop_worker: CancellationToken,
    background: Background,
    grace: Duration,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.log.start();
        self.worker
            .check()
            .map_err(|error| Failure::Settings(error.into()))?;
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        runtime.block_on(async {
            let stop = signals::stop_on_signals().context("cannot listen for signals")?;
            let server = Server::start(self).await?;
            server.announce();
            server.until(stop).await
        })
    }

    fn embeds_worker(&self, db: &Db) -> bool {
        let on_sqlite = db.backend() == Backend::Sqlite;
        self.api.embedded_worker.unwrap_or(on_sqlite)
    }

    fn setup(&self) -> Setup {
        Setup {
            mail_from: self.mail.mail_from.clone(),
            base_url: None,
        }
    }
}

/// The database, ready, with what opens its secrets.
struct Prepared {
    db: Db,
    sealer: Sealer,
    new_key: Option<SecretString>,
}

fn prepare(serve: &Serve) -> anyhow::Result<Prepared> {
    let db = serve.database.open(IfMissing::Create)?;
    let sealer = serve.secret_key.sealer(&db)?;
    let api_key = serve.api.api_key.as_ref();
    let new_key = bootstrap(&db, &sealer, api_key, UnixMillis::now())
        .context("cannot set the database up")?;
    Ok(Prepared {
        db,
        sealer,
        new_key,
    })
}

impl Server {
    /// Opens the database, and starts the API and the worker if it is embedded.
    ///
    /// # Errors
    /// With what cannot be used: the database, the secret key, the address.
    pub async fn start(serve: Serve) -> anyhow::Result<Self> {
        // The address first: what cannot listen need not touch the database.
        let listener = TcpListener::bind(serve.api.listen)
            .with_context(|| format!("cannot listen on {}", serve.api.listen))?;
        let address = listener.local_addr().context("cannot tell the address")?;
        let for_preparation = serve.clone();
        let Prepared {
            db,
            sealer,
            new_key,
        } = tokio::task::spawn_blocking(move || prepare(&for_preparation)).await??;
        let wake = Wake::new(&db);
        let metrics = Metrics::new().context("cannot count anything")?;
        let stop_worker = CancellationToken::new();
        let worker = match serve.embeds_worker(&db) {
            false => None,
            true => {
                let worker = Worker::new(
                    &serve.worker,
                    serve.setup(),
                    db.clone(),
                    sealer.clone(),
                    &wake,
                    metrics.clone(),
                )?;
                Some(tokio::spawn(worker.run(stop_worker.clone())))
            }
        };
        let settings = Settings {
            body_limit: serve.api.body_limit,
            trusted_proxies: serve.api.trusted_proxies.0.clone(),
        };
        let setup = serve.setup();
        let consent_client = ConsentClient::new(
            &serve.worker,
            setup.clone(),
            sealer.clone(),
            metrics.clone(),
        )?;
        let of_server = db.clone();
        let state = State::new(db, sealer, wake, consent_client, setup, settings, metrics)
            .context("cannot count requests")?;
        let (background, grace) = (state.background.clone(), serve.worker.shutdown_grace);
        let batcher = Data::new(ActionBatcher::new(&state));
        let state = Data::new(state);
        let server = HttpServer::new(move || app(state.clone(), batcher.clone()))
            .workers(THREADS)
            .disable_signals()
            .shutdown_timeout(whole_seconds(grace))
            .listen(listener)
            .context("cannot start the server")?
            .run();
        Ok(Self {
            address,
            new_key,
            db: of_server,
            handle: server.handle(),
            api: tokio::spawn(server),
            worker,
            stop_worker,
            background,
            grace,
        })
    }

    /// Says where the server is, and the key if it is new: on standard output, since the
    /// log is for other eyes.
    #[expect(
        clippy::print_stdout,
        reason = "a person who starts a server reads this"
    )]
    fn announce(&self) {
        println!("Beadle listens on http://{}", self.address);
        if let Some(key) = &self.new_key {
            println!();
            println!("API key (shown this once): {}", key.expose_secret());
            println!();
        }
    }

    /// Serves until `stop`, then finishes what has begun.
    ///
    /// # Errors
    /// If the server ended without being asked to.
    pub async fn until(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let ended = tokio::select! {
            () = stop.cancelled() => None,
            ended = &mut self.api => Some(ended),
            () = ended(&mut self.worker) => Some(Ok(Err(std::io::Error::other(
                "the embedded worker ended",
            )))),
        };
        self.stop().await;
        match ended {
            None => Ok(()),
            Some(ended) => {
                ended
                    .context("the API panicked")?
                    .context("the server ended by itself")?;
                Ok(())
            }
        }
    }

    /// No new requests, then no new deliveries; what has begun is finished.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        self.background.drain(self.grace).await;
        self.stop_worker.cancel();
        if let Some(worker) = self.worker
            && !worker.is_finished()
            && let Err(error) = worker.await
        {
            tracing::error!("the worker failed: {error}");
        }
        let db = self.db;
        if let Err(error) = tokio::task::spawn_blocking(move || db.checkpoint_blocking()).await {
            tracing::error!("the database was not left in order: {error}");
        }
    }
}

/// Completes when the worker ends; never, if there is none.
async fn ended(worker: &mut Option<JoinHandle<()>>) {
    match worker {
        Some(worker) => {
            if let Err(error) = worker.await {
                tracing::error!("the worker failed: {error}");
            }
        }
        None => std::future::pending().await,
    }
}

/// At least one second, since zero would cut off every request.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().max(1)
}
