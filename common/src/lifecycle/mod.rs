//! The life of an action log: take, modify, cancel, end. The only code that decides
//! what a phase writes: log, history, event, email and outbox rows.
//!
//! Each phase has two steps. *Prepare* reads, validates, builds the event and renders
//! the mail, all in memory and outside any transaction, since rendering takes time.
//! *Commit* checks again what may have changed meanwhile and writes everything in one
//! transaction. Webhooks that take part in a decision are asked between the two.

mod batch;
mod cancel;
mod commit;
mod config_snapshot;
mod end;
mod lockout;
mod mail;
mod modify;
mod phase;
mod reader;
mod refusal;
mod system;
mod take;
mod test_event;
#[cfg(test)]
mod tests;
mod webhook_consent;

pub use batch::{Batch, BatchItem, commit_batch, insert_batch, prepare_batch};
pub use cancel::{CancelRequest, prepare_cancel};
pub use commit::{Conflict, commit, commit_answered};
pub use config_snapshot::{ConfigCache, ConfigSnapshot};
pub use end::{EndRun, end_due};
pub use lockout::{
    LockoutPolicy, commit_lockout, count_failed_login, lift_lockout, prepare_lockout,
};
pub use modify::{ModifyRequest, prepare_modify};
pub use phase::Change;
pub use refusal::{Field, Problem, Refusal, Violation};
pub use system::SystemStep;
pub use take::{TakeRequest, prepare_take};
pub use test_event::{TestEvent, raise_test};
pub use webhook_consent::{ConsentRequest, FirstAttempt, FirstAttempts, record_rollback};

pub use crate::mail::Setup;

use serde_json::{Map, Value};

use crate::id::UserId;
use crate::unix_millis::UnixMillis;

/// What all calls that change an action have in common.
#[derive(Debug, Clone)]
pub struct Call {
    /// The clock, read once for the whole call.
    pub now: UnixMillis,
    /// The only tenant that the call may touch.
    pub scope: Option<crate::id::TenantId>,
    /// Raise the event.
    pub broadcast: bool,
    /// `event.info`.
    pub info: Map<String, Value>,
}

/// The members that take, modify and cancel share.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// Who acts.
    pub actioner_user_id: Option<UserId>,
    /// Why, in words.
    pub comment: Option<String>,
    /// Email the actionee for this phase.
    pub email_user: bool,
    /// Passed on in the event.
    pub notify_user: bool,
}
