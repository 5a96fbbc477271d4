//! [`Endpoint`]: the name that permissions know a route by, and who may use it.

use super::access::Access;

/// An endpoint: its path without Ids. Every route that takes a key belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// What `permissions.endpoints` of a key calls it: `/api/user-action`.
    pub path: &'static str,
    /// Whose its objects are.
    pub access: Access,
    /// What the Id in its path is called, if it has one: `userActionId`.
    pub id: &'static str,
}
