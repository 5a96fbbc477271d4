//! Settings that both binaries share: options of the command line, each with an
//! environment variable of its own.
//!
//! Every option is named after its variable, and shows it as the name of its value,
//! so that a complaint about a bad value names the variable. Settings of the worker
//! are in its crate, those of the API in its own.

mod complain;
mod database;
mod duration;
mod logging;
mod mail;
mod secret_key;

pub use complain::{Adjust, complain, one_line, parse_arguments};
pub use database::DatabaseSettings;
pub use duration::{BadDuration, Durations, format_duration, parse_duration, parse_durations};
pub use logging::{LogFormat, LogSettings};
pub use mail::{MailSettings, parse_mailbox};
pub use secret_key::{SecretKeyError, SecretKeySettings};
