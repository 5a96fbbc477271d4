//! [`Context`]: who asks for an operation, when, and what opens secrets.

use crate::id::{ApiKeyId, TenantId};
use crate::seal::Sealer;
use crate::unix_millis::UnixMillis;

/// Who asks. That they may do so has been decided before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What the audit log calls them.
    pub name: String,
    /// The only tenant that they may act for.
    pub lock: Option<TenantId>,
    /// The only tenant that they ask about: their own, or one of their choice.
    pub scope: Option<TenantId>,
}

impl Actor {
    /// Whoever holds this API key.
    #[must_use]
    pub fn api_key(key: ApiKeyId, lock: Option<TenantId>, scope: Option<TenantId>) -> Self {
        Self {
            name: format!("API key {key}"),
            lock,
            scope,
        }
    }
}

/// What operations need to know of a request. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who asks.
    pub actor: Actor,
    /// When: the one instant of everything that is done.
    pub now: UnixMillis,
    /// Seals and opens secrets.
    pub sealer: Sealer,
    /// What stands for secrets in the document that a PATCH starts from: nobody can guess it.
    /// None: the request is no PATCH.
    pub placeholder: Option<String>,
}

impl Context {
    /// Whether what a request says was made by a PATCH of what is stored.
    #[must_use]
    pub fn is_patch(&self) -> bool {
        self.placeholder.is_some()
    }
}
