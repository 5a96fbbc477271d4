//! [`Endpoint`]: the name that permissions know a route by, and who may use it.

use super::access::Access;
use crate::description::Routes;

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

impl Endpoint {
    /// The path with and without an Id, as one resource.
    pub(crate) fn routes(self) -> Routes {
        let mut paths = vec![self.path.to_owned()];
        if !self.id.is_empty() {
            paths.push(format!("{}/{{{}}}", self.path, self.id));
        }
        Routes::of(self, paths)
    }

    /// The endpoint of something that belongs to an object: its Id stands within the path.
    pub(crate) fn nested(self, path: &str) -> Routes {
        Routes::of(self, vec![path.to_owned()])
    }
}
