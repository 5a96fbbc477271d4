//! Log lines: to standard error, so that a command's output stays its own.

use std::io::{IsTerminal, stderr};

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Options about logging.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogSettings {
    /// What to log, such as `info` or `beadle_worker=debug`
    #[arg(
        long,
        env = "RUST_LOG",
        value_name = "RUST_LOG",
        default_value = "info",
        value_parser = parse_filter
    )]
    pub rust_log: String,

    /// How log lines look
    #[arg(
        long,
        alias = "beadle-log-format",
        env = "BEADLE_LOG_FORMAT",
        value_name = "BEADLE_LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

fn parse_filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "{error}; expected a level such as `info`, or `target=level`"
        )),
    }
}

/// What libraries say at `info` and nobody running Beadle needs, unless asked for.
const QUIET: &str = "actix_server=warn,actix_http=warn";

impl LogSettings {
    /// The libraries first, so that what the operator says of them wins.
    fn filter(&self) -> String {
        format!("{QUIET},{}", self.rust_log)
    }

    /// Starts logging. Call it once per process; later calls change nothing.
    pub fn start(&self) {
        let lines = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(self.filter()))
            .with_ansi(stderr().is_terminal())
            .with_writer(stderr);
        // An error means that logging has been started already.
        let _ = match self.log_format {
            LogFormat::Text => lines.with_target(false).try_init(),
            LogFormat::Json => lines.json().flatten_event(true).try_init(),
        };
    }
}
