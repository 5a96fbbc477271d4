//! The audit log of configuration: who changed what, and what it was before. Entries are
//! written in the transaction of the change, and hold no secret.

use std::fmt::Display;

use super::actor::Context;
use super::member::{Member, audit_members, changed_secrets};
use crate::db::{AnyConnection, JsonText, QueryResult};
use crate::model::audit_log::NewAuditLog;
use crate::view::{Absent, Members};

/// A change of one object.
pub(super) struct Change<'a, T> {
    /// What was done, in the past tense.
    pub(super) verb: &'static str,
    /// To what.
    pub(super) noun: &'static str,
    /// To which.
    pub(super) id: &'a dyn Display,
    /// What such objects have.
    pub(super) members: &'a [Member<T>],
    /// As it was, unless it was created.
    pub(super) old: Option<&'a T>,
    /// As it is, unless it was deleted.
    pub(super) new: Option<&'a T>,
}

impl<T> Change<'_, T> {
    /// Writes the entry.
    pub(super) fn record(
        &self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> QueryResult<()> {
        let value = |of| JsonText::of(&audit_members(self.members, of));
        let secrets = match (self.old, self.new) {
            (Some(old), Some(new)) => changed_secrets(self.members, old, new),
            _ => Vec::new(),
        };
        let data = Members::new(Absent::Omit)
            .maybe("changedSecrets", (!secrets.is_empty()).then_some(secrets))
            .with("id", self.id.to_string())
            .with("noun", self.noun)
            .done();
        let entry = NewAuditLog {
            tenant_id: context.actor.scope,
            insert_user: context.actor.name.clone(),
            message: format!("{} {} {}", self.verb, self.noun, self.id),
            reason: None,
            old_value: self.old.map(value),
            new_value: self.new.map(value),
            data: JsonText::of(&data),
            insert_instant: context.now,
        };
        entry.insert(connection)?;
        Ok(())
    }
}
