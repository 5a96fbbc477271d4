//! The worker of Beadle as a library: what drains the outbox into signed
//! webhooks and emails. The binary only starts it, and the API can run it
//! inside its own process.

pub mod attempt;
pub mod drain;
pub mod email;
pub mod erasing;
pub mod expiry;
pub mod inquiry;
pub mod metrics;
pub mod net;
pub mod ordering;
pub mod outcome;
pub mod policy;
pub mod pruning;
pub mod run;
pub mod settings;
pub mod signals;
pub mod webhook;

pub use inquiry::Inquirer;
pub use metrics::Metrics;
pub use run::Worker;
pub use settings::WorkerSettings;
