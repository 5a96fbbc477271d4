//! `beadle-api`: the API server, and its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    beadle_api::commands::main()
}
