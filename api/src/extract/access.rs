//! What a key that is locked to a tenant may do. Keys without a lock may do whatever
//! their permissions name.

use actix_web::http::Method;
use beadle_common::id::TenantId;

use crate::input::parse_id;

/// Whose an endpoint's objects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A tenant's: users, their actions, applications.
    OfTenant,
    /// Shared by all tenants: locked keys may look, but not touch.
    Shared,
    /// The same for an endpoint that only reads, whatever the method: a search.
    SharedReading,
    /// The whole server's: not for locked keys.
    Global,
    /// The tenants themselves: a locked key sees and changes its own.
    Tenants,
    /// API keys: for keys that manage keys.
    Keys,
}

impl Access {
    /// Whether a key locked to `lock` may use this method. `id` is the Id in the path.
    #[must_use]
    pub fn allows_locked(self, method: &Method, lock: TenantId, id: Option<&str>) -> bool {
        match self {
            Self::OfTenant | Self::SharedReading | Self::Keys => true,
            Self::Shared => method == Method::GET,
            Self::Global => false,
            Self::Tenants => match id {
                Some(id) => parse_id(id) == Some(lock),
                None => method == Method::GET,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_keys_look_at_what_is_shared_and_touch_what_is_theirs() {
        let lock = TenantId::random();
        let own = lock.to_string();
        let other = TenantId::random().to_string();
        for (access, method, id, allowed) in [
            (Access::OfTenant, Method::POST, None, true),
            (Access::Shared, Method::GET, None, true),
            (Access::Shared, Method::PATCH, Some(own.as_str()), false),
            (Access::Shared, Method::DELETE, None, false),
            (Access::SharedReading, Method::POST, None, true),
            (Access::Global, Method::GET, None, false),
            (Access::Tenants, Method::GET, Some(own.as_str()), true),
            (Access::Tenants, Method::PATCH, Some(own.as_str()), true),
            (Access::Tenants, Method::GET, Some(other.as_str()), false),
            (Access::Tenants, Method::GET, Some("x"), false),
            (Access::Tenants, Method::GET, None, true),
            (Access::Tenants, Method::POST, None, false),
        ] {
            assert_eq!(
                access.allows_locked(&method, lock, id),
                allowed,
                "{access:?} {method} {id:?}"
            );
        }
    }
}
