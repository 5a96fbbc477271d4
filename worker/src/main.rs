//! `beadle-worker`: delivers what is in the outbox. Any number of them may run.

use std::process::ExitCode;

use anyhow::Context;
use beadle_common::db::{Db, IfMissing, Wake};
use beadle_common::lifecycle::Setup;
use beadle_common::settings::{
    DatabaseSettings, LogSettings, MailSettings, SecretKeySettings, complain, parse_arguments,
};
use beadle_worker::metrics::{Endpoint, MetricsSettings};
use beadle_worker::{Metrics, Worker, WorkerSettings, signals};
use clap::Parser;

/// Delivers what is in the outbox: signed webhooks and emails. Ends what has expired.
/// Any number of workers may share a database.
#[derive(Debug, Parser)]
#[command(name = "beadle-worker", version)]
struct Cli {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    secret_key: SecretKeySettings,
    #[command(flatten)]
    mail: MailSettings,
    #[command(flatten)]
    worker: WorkerSettings,
    #[command(flatten)]
    metrics: MetricsSettings,
    #[command(flatten)]
    log: LogSettings,
}

fn main() -> ExitCode {
    let cli: Cli = parse_arguments("beadle-worker", |command, _| command);
    cli.log.start();
    if let Err(error) = cli.worker.check() {
        complain("beadle-worker", &error);
        return ExitCode::from(2);
    }
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain("beadle-worker", error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let db = cli.database.open(IfMissing::Refuse)?;
    let sealer = cli.secret_key.sealer(&db)?;
    let setup = Setup {
        mail_from: cli.mail.mail_from.clone(),
        base_url: None,
    };
    let wake = Wake::new(&db);
    let metrics = Metrics::new().context("cannot count anything")?;
    let worker = Worker::new(
        &cli.worker,
        setup,
        db.clone(),
        sealer,
        &wake,
        metrics.clone(),
    )?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let of_endpoint = db.clone();
    let ended = runtime.block_on(async {
        let stop = signals::stop_on_signals().context("cannot listen for signals")?;
        let endpoint = endpoint(&cli.metrics, metrics, of_endpoint).await?;
        tokio::select! {
            () = worker.run(stop.child_token()) => {}
            () = shown(endpoint) => {}
        }
        // Whoever watches over the process has to see that it did not stop on demand.
        match stop.is_cancelled() {
            true => Ok(()),
            false => anyhow::bail!("a part of the worker failed; the log says which"),
        }
    });
    db.checkpoint_blocking();
    ended
}

/// Where metrics are shown, if anywhere.
async fn endpoint(
    settings: &MetricsSettings,
    metrics: Metrics,
    db: Db,
) -> anyhow::Result<Option<Endpoint>> {
    let Some(address) = settings.metrics_listen else {
        return Ok(None);
    };
    let endpoint = Endpoint::bind(address, metrics, db)
        .await
        .with_context(|| format!("BEADLE_METRICS_LISTEN: cannot listen on {address}"))?;
    let address = endpoint.address().context("cannot tell the address")?;
    tracing::info!("metrics are at http://{address}/metrics");
    Ok(Some(endpoint))
}

/// Shows them for as long as the worker takes to end; without an endpoint, nothing for ever.
async fn shown(endpoint: Option<Endpoint>) {
    if let Some(endpoint) = endpoint {
        endpoint.serve().await;
    }
    std::future::pending().await
}
