//! The worker of Beadle as a library: what turns the outbox into signed webhooks and emails.
//! The binary only starts it, and the API can run it inside its own process.
//!
//! `dispatcher` claims what is due and has it sent by a transport, `webhook` or `email`;
//! `jobs` does what has to be done from time to time. What all of them speak of is in `core`.

pub mod core;
pub mod dispatcher;
pub mod email;
pub mod jobs;
pub mod metrics;
pub mod net;
pub mod run;
pub mod settings;
pub mod signals;
pub mod webhook;

pub use metrics::Metrics;
pub use run::Worker;
pub use settings::WorkerSettings;
pub use webhook::consent::ConsentClient;
