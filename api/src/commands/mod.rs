//! The commands of `beadle-api`, one file each, and the settings they share.

mod create_api_key;
mod migrate;
mod openapi;
mod preview_email;
mod rotate_secret_key;
mod serve;
mod settings;

use std::ffi::OsString;
use std::process::ExitCode;

use beadle_common::settings::{complain, parse_arguments};
use clap::builder::{OsStr, Resettable};
use clap::{Parser, Subcommand};

pub use create_api_key::CreateApiKey;
pub use migrate::Migrate;
pub use openapi::Openapi;
pub use preview_email::PreviewEmail;
pub use rotate_secret_key::RotateSecretKey;
pub use serve::{Serve, Server};
pub use settings::ApiSettings;

/// Acts on users, and sees to it that everyone who has to know gets to know.
#[derive(Debug, Parser)]
#[command(name = "beadle-api", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of these per process"
)]
enum Command {
    /// Serve the API; the same as no command
    Serve(Serve),
    /// Bring the tables up to date, then stop
    Migrate(Migrate),
    /// Make an API key and print it, alone, on standard output
    CreateApiKey(CreateApiKey),
    /// Print the OpenAPI document of the API
    Openapi(Openapi),
    /// Show a stored email template as a reader would get it, and what is wrong with it
    PreviewEmail(PreviewEmail),
    /// Encrypt every secret in the database with the first of the secret keys
    RotateSecretKey(RotateSecretKey),
}

/// Why a command stopped.
#[derive(Debug)]
pub enum Failure {
    /// Settings that do not fit together: exit code 2, as for a bad option.
    Settings(anyhow::Error),
    /// Anything else: exit code 1.
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// The options of `serve` stand beside the commands too, for when there is none. Their
/// environment is not read for another command, which need not care what it holds.
fn only_what_is_asked_for(command: clap::Command, arguments: &[OsString]) -> clap::Command {
    let first = arguments.get(1);
    if first.is_none_or(|first| command.find_subcommand(first).is_none()) {
        return command;
    }
    command.mut_args(|argument| argument.env(Resettable::<OsStr>::Reset))
}

/// Runs the command that the arguments and the environment ask for.
#[must_use]
pub fn main() -> ExitCode {
    let cli: Cli = parse_arguments("beadle-api", only_what_is_asked_for);
    let result = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(command) => command.run(),
        Command::Migrate(command) => command.run(),
        Command::CreateApiKey(command) => command.run(),
        Command::Openapi(command) => command.run(),
        Command::PreviewEmail(command) => command.run(),
        Command::RotateSecretKey(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Settings(error)) => {
            complain("beadle-api", error.as_ref());
            ExitCode::from(2)
        }
        Err(Failure::Other(error)) => {
            complain("beadle-api", error.as_ref());
            ExitCode::FAILURE
        }
    }
}
