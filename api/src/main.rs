//! `beadle-api`: the API server, and its commands.

use std::process::ExitCode;

/// The system's does not use again what a hash of a password has used: 19 MiB each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    beadle_api::commands::main()
}
