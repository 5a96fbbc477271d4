//! The SMTP password, which no answer shows: it belongs to one user of one server, and goes
//! nowhere else.

use crate::model::tenant::Tenant;
use serde_json::Value;

use crate::resources::input::Object;
use crate::resources::problem::Prefix;

/// What a request says of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Password {
    New(String),
    /// Nothing.
    Untouched,
    Removed,
}

impl Password {
    /// A PUT cannot repeat what it has never seen. A PATCH started from a document with
    /// `placeholder` in the place of the password.
    pub(super) fn of(read: Option<String>, placeholder: Option<&str>) -> Self {
        match (read, placeholder) {
            (Some(read), Some(placeholder)) if read == placeholder => Self::Untouched,
            (Some(read), _) => Self::New(read),
            (None, None) => Self::Untouched,
            (None, Some(_)) => Self::Removed,
        }
    }

    /// Whether the stored password stays. It has to be given again for another account: that
    /// it is missing then is reported.
    pub(super) fn stays(&self, stored: &Tenant, read: &Tenant, object: &Object<'_>) -> bool {
        if *self != Self::Untouched || stored.smtp_password.is_none() {
            return false;
        }
        let stays = is_same_account(stored, read);
        if !stays && read.email_setting("host").is_some() && logs_in(read) {
            object.errors().refuse_because(
                Prefix::Blank,
                &object.path("emailConfiguration.password"),
                "the password was given for another host, port, user or security, give it again",
            );
        }
        stays
    }
}

/// The same user of the same server, who is not reached less safely than before.
fn is_same_account(stored: &Tenant, read: &Tenant) -> bool {
    let setting = |tenant: &'_ Tenant, name: &str| -> Option<Value> {
        tenant.email_configuration.0.get(name).cloned()
    };
    let same = |name| setting(stored, name) == setting(read, name);
    let in_the_clear = |tenant: &Tenant| tenant.email_setting("security") == Some("NONE");
    logs_in(read)
        && ["host", "port", "username"].into_iter().all(same)
        && (in_the_clear(stored) || !in_the_clear(read))
}

fn logs_in(tenant: &Tenant) -> bool {
    tenant.email_setting("username").is_some()
}
