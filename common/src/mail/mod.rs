//! A mail on its way from a template to the outbox: what a template may name, how the
//! result is addressed, and the rows that it becomes.
//!
//! The template language itself is [`crate::render`]. Which mail a phase of an action
//! makes is decided in [`crate::lifecycle`]; how mail leaves the house, in the worker.

mod compose;
mod disabled_notice;
mod queue;
mod sample;
mod variables;

pub use compose::{EmailDraft, QueuedEmail, sender, texts, unsubscribe};
pub(crate) use disabled_notice::tell_of_disabled;
pub use queue::queue;
pub use sample::{sample, sample_timezone};
pub use variables::{Variables, with_nulls};

use crate::model::email::Mailbox;

/// What mail needs to know of the server's settings.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Sender of mails whose template and tenant name none.
    pub mail_from: Mailbox,
    /// `baseUrl` in templates.
    pub base_url: Option<String>,
}
