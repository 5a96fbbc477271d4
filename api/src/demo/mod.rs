//! `beadle-api demo`: the main job, end to end, with nothing to configure.
//!
//! `stage` starts the server, `receiver` is the other system that is told, and `mailbox`
//! (which speaks `smtp`) the users' mail server. `story` is what happens, after
//! `preparation`; both go through `scene`, which shows every step and puts down in the
//! `ledger` what has to follow. Nothing here knows Beadle from inside, except for how to
//! start it: all else goes through the public API, and whatever is claimed has been seen
//! coming in over a socket.

mod cast;
mod client;
mod explore;
mod inbox;
mod layout;
mod ledger;
mod letters;
mod mailbox;
mod preparation;
mod print;
mod receiver;
mod scene;
mod smtp;
mod stage;
mod story;
mod subscription_texts;
mod summary;
mod survey_texts;

use std::time::{Duration, Instant};

use anyhow::Context;
use beadle_common::settings::{LogFormat, LogSettings};
use beadle_worker::signals;
use clap::Args;

use crate::commands::Failure;
use scene::Scene;
use stage::Stage;

/// In this time duplicates would show.
const QUIET: Duration = Duration::from_millis(300);

/// The settings of the demo.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Leave everything running afterwards, for exploring
    #[arg(long)]
    keep: bool,

    /// What to log, such as `info` or `beadle_worker=debug`
    #[arg(
        long,
        env = "RUST_LOG",
        value_name = "RUST_LOG",
        default_value = "warn"
    )]
    rust_log: String,
}

impl Demo {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let log = LogSettings {
            rust_log: self.rust_log.clone(),
            log_format: LogFormat::Text,
        };
        log.start();
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        Ok(runtime.block_on(self.play())?)
    }

    async fn play(self) -> anyhow::Result<()> {
        let stop = signals::stop_on_signals().context("cannot listen for signals")?;
        let begin = Instant::now();
        let stage = Stage::open().await?;
        let mut scene = stage.scene();
        stage.introduce(&scene.page);
        let result = tokio::select! {
            result = perform(&mut scene, begin) => result,
            () = stop.cancelled() => Err(anyhow::anyhow!("interrupted")),
        };
        if self.keep && !stop.is_cancelled() {
            explore::explore(&scene, &stage, &stop).await;
        }
        stage.close().await;
        result
    }
}

async fn perform(scene: &mut Scene, begin: Instant) -> anyhow::Result<()> {
    let played = story::play(scene).await;
    tokio::time::sleep(QUIET).await;
    let mut report = scene
        .ledger
        .compare(&scene.receiver.inbox.all(), &scene.mailbox.inbox.all());
    if let Err(error) = played {
        let problem = format!("the story stopped before its end: {error:#}");
        report.problems.push(problem);
    }
    summary::print(&scene.page, &report, begin.elapsed());
    let problems = report.problems.join("; ");
    anyhow::ensure!(report.problems.is_empty(), "the demo failed: {problems}");
    Ok(())
}
