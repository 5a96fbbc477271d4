//! The demo.

use clap::Args;

/// The demo.
#[derive(Debug, Clone, Args)]
pub struct Demo {}

impl Demo {
    pub(crate) fn run(self) -> Result<(), crate::commands::Failure> {
        Ok(())
    }
}
