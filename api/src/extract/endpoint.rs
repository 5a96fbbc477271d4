//! [`Endpoint`]: the name that permissions know a route by, and who may use it.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{Error, Resource, web};

use super::access::Access;
use crate::idempotency::once;

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
    pub fn resource(self) -> Resource<impl Wrapped> {
        let mut patterns = vec![self.path.to_owned()];
        if !self.id.is_empty() {
            patterns.push(format!("{}/{{{}}}", self.path, self.id));
        }
        self.around(web::resource(patterns))
    }

    /// The endpoint of something that belongs to an object: its Id stands within the path.
    #[must_use]
    pub fn nested(self, pattern: &str) -> Resource<impl Wrapped> {
        self.around(web::resource(pattern))
    }

    /// What all requests with a key have in common.
    fn around(self, resource: Resource) -> Resource<impl Wrapped> {
        resource.app_data(self).wrap(from_fn(once))
    }
}

/// A resource with something around its routes; routes can be added to it still.
pub trait Wrapped:
    ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + 'static
{
}

impl<T> Wrapped for T where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + 'static
{
}
