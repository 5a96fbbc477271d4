//! [`Endpoint`]: the name that permissions know a route by, and who may use it.

use actix_web::{Resource, web};

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

impl Endpoint {
    /// The path with and without an Id, as one resource. A method without a route is
    /// answered 405 by actix.
    #[must_use]
    pub fn resource(self) -> Resource {
        if self.id.is_empty() {
            return web::resource(self.path).app_data(self);
        }
        web::resource([
            self.path.to_owned(),
            format!("{}/{{{}}}", self.path, self.id),
        ])
        .app_data(self)
    }

    /// The endpoint of something that belongs to an object: its Id stands within the path.
    #[must_use]
    pub fn nested(self, pattern: &str) -> Resource {
        web::resource(pattern).app_data(self)
    }
}
