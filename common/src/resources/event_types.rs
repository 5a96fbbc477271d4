//! The event types that clients know by name. Beadle raises `user.action` alone; the
//! settings of the others are kept as they come.

/// Where a type may stand, and what may be said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Webhooks can have a say in it.
    Transactional,
    /// It tells of what has happened.
    NonTransactional,
    /// It is the server's, not a tenant's.
    Instance,
}

/// What kind of event type this is; none if nobody knows it.
#[must_use]
pub fn kind_of(name: &str) -> Option<EventKind> {
    if INSTANCE.contains(&name) {
        return Some(EventKind::Instance);
    }
    if !TENANT.contains(&name) {
        return None;
    }
    Some(match name.ends_with(".complete") || name == "test" {
        true => EventKind::NonTransactional,
        false => EventKind::Transactional,
    })
}

const INSTANCE: [&str; 3] = ["audit-log.create", "event-log.create", "kickstart.success"];

const TENANT: [&str; 61] = [
    "entity.create",
    "entity.create.complete",
    "entity.delete",
    "entity.delete.complete",
    "entity.update",
    "entity.update.complete",
    "group.create",
    "group.create.complete",
    "group.delete",
    "group.delete.complete",
    "group.member.add",
    "group.member.add.complete",
    "group.member.remove",
    "group.member.remove.complete",
    "group.member.update",
    "group.member.update.complete",
    "group.update",
    "group.update.complete",
    "jwt.public-key.update",
    "jwt.refresh",
    "jwt.refresh-token.revoke",
    "test",
    "user.action",
    "user.bulk.create",
    "user.create",
    "user.create.complete",
    "user.deactivate",
    "user.delete",
    "user.delete.complete",
    "user.email.update",
    "user.email.verified",
    "user.identity-provider.link",
    "user.identity-provider.unlink",
    "user.identity.update",
    "user.identity.verified",
    "user.login.failed",
    "user.login.new-device",
    "user.login.success",
    "user.login.suspicious",
    "user.loginId.duplicate.create",
    "user.loginId.duplicate.update",
    "user.password.breach",
    "user.password.reset.send",
    "user.password.reset.start",
    "user.password.reset.success",
    "user.password.update",
    "user.reactivate",
    "user.registration.create",
    "user.registration.create.complete",
    "user.registration.delete",
    "user.registration.delete.complete",
    "user.registration.update",
    "user.registration.update.complete",
    "user.registration.verified",
    "user.two-factor.challenge",
    "user.two-factor.failed-attempt",
    "user.two-factor.method.add",
    "user.two-factor.method.remove",
    "user.two-factor.success",
    "user.update",
    "user.update.complete",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_name() {
        assert_eq!(kind_of("user.action"), Some(EventKind::Transactional));
        assert_eq!(
            kind_of("user.create.complete"),
            Some(EventKind::NonTransactional)
        );
        assert_eq!(kind_of("audit-log.create"), Some(EventKind::Instance));
        assert_eq!(kind_of("user.actions"), None);
    }
}
