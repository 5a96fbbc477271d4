//! `beadle-api openapi`: the API's description on standard output, without a server.

use std::io::{Write, stdout};

use clap::Args;

use super::Failure;

/// Print the OpenAPI document of the API
#[derive(Debug, Args)]
pub struct Openapi {}

impl Openapi {
    pub(super) fn run(self) -> Result<(), Failure> {
        writeln!(stdout(), "{:#}", crate::app::description().document())?;
        Ok(())
    }
}
