//! The audit log of configuration: who changed what, and what it was before. Entries are
//! written in the transaction of the change, and hold no secret.

use std::fmt::Display;

use super::actor::Context;
use crate::db::{AnyConnection, JsonText, QueryResult};
use crate::id::TenantId;
use crate::model::audit_log::NewAuditLog;
use crate::view::{Absent, Members, View};

/// A change of one object.
pub(super) struct Change<'a> {
    /// What was done, in the past tense.
    pub(super) verb: &'static str,
    /// To what.
    pub(super) noun: &'static str,
    /// To which.
    pub(super) id: &'a dyn Display,
    /// Whose it is, if it is one tenant's.
    pub(super) tenant: Option<TenantId>,
    /// As it was, without secrets, unless it was created.
    pub(super) old: Option<View>,
    /// As it is, without secrets, unless it was deleted.
    pub(super) new: Option<View>,
    /// Secrets that differ.
    pub(super) secrets: Vec<&'static str>,
}

impl Change<'_> {
    /// Writes the entry.
    pub(super) fn record(
        &self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> QueryResult<()> {
        let secrets = &self.secrets;
        let data = Members::new(Absent::Omit)
            .maybe("changedSecrets", (!secrets.is_empty()).then_some(secrets))
            .with("id", self.id.to_string())
            .with("noun", self.noun)
            .done();
        let entry = NewAuditLog {
            tenant_id: self.tenant,
            insert_user: context.actor.name.clone(),
            message: format!("{} {} {}", self.verb, self.noun, self.id),
            reason: None,
            old_value: self.old.as_ref().map(JsonText::of),
            new_value: self.new.as_ref().map(JsonText::of),
            data: JsonText::of(&data),
            insert_instant: context.now,
            erased_with: self.tenant,
        };
        entry.insert(connection)?;
        Ok(())
    }
}
