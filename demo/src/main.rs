//! `beadle-demo`: the main job of Beadle, end to end, with nothing to configure.
//!
//! `stage` starts the server, `receiver` is the other system that is told, and `mailbox`
//! the users' mail server, both made of the testkit's. `story` is what happens, after
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
mod stage;
mod story;
mod subscription_texts;
mod summary;
mod survey_texts;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use beadle_common::settings::{LogFormat, LogSettings, complain, parse_arguments};
use beadle_worker::signals;
use clap::Parser;

use scene::Scene;
use stage::Stage;

/// In this time duplicates would show.
const QUIET: Duration = Duration::from_millis(300);

/// Shows the main job of Beadle, end to end, with nothing to configure
#[derive(Debug, Clone, Parser)]
#[command(name = "beadle-demo", version)]
struct Demo {
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

fn main() -> ExitCode {
    let demo: Demo = parse_arguments("beadle-demo", |command, _| command);
    match demo.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain("beadle-demo", error.as_ref());
            ExitCode::FAILURE
        }
    }
}

impl Demo {
    fn run(self) -> anyhow::Result<()> {
        let log = LogSettings {
            rust_log: self.rust_log.clone(),
            log_format: LogFormat::Text,
        };
        log.start();
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        runtime.block_on(self.play())
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
