//! Routes and their operations, told to the server and to the description from one list.

use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Responder, Route};

use super::operation::{At, Body, Operation};
use crate::extract::Endpoint;
use crate::middleware::idempotency_middleware;
use beadle_common::resources::field::Kind;

/// A chapter of the API: what the routes of one noun have in common.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) routes: Vec<Routes>,
}

impl Section {
    pub(crate) const fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            routes: Vec::new(),
        }
    }

    /// Paths that begin alike stand with the longer one first.
    pub(crate) fn with(mut self, routes: Routes) -> Self {
        self.routes.push(routes);
        self
    }

    /// Tells the server of the routes.
    pub(crate) fn register(self, config: &mut ServiceConfig) {
        for routes in self.routes {
            routes.register(config);
        }
    }
}

/// A resource: one path or two, and what its methods do. A method without a route is
/// answered 405 by actix.
pub(crate) struct Routes {
    /// None: no key is asked for.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) paths: Vec<String>,
    pub(crate) methods: Vec<Described>,
    /// What stands in the path, where it is no UUID.
    pub(crate) path_kinds: Vec<(&'static str, Kind)>,
    /// A POST is simply done again when it is repeated.
    repeatable: bool,
    /// Whoever has no key may be let in all the same.
    pub(crate) key_is_optional: bool,
}

/// A method of a resource.
pub(crate) struct Described {
    pub(crate) method: Method,
    route: Route,
    pub(crate) operations: &'static [Operation],
}

impl Routes {
    /// For anybody, without a key.
    pub(crate) fn open(path: &str) -> Self {
        Self::new(None, vec![path.to_owned()])
    }

    pub(crate) fn of(endpoint: Endpoint, paths: Vec<String>) -> Self {
        Self::new(Some(endpoint), paths)
    }

    const fn new(endpoint: Option<Endpoint>, paths: Vec<String>) -> Self {
        Self {
            endpoint,
            paths,
            methods: Vec::new(),
            path_kinds: Vec::new(),
            repeatable: false,
            key_is_optional: false,
        }
    }

    /// Its POST changes nothing that may not be changed twice, and what it answers is true at
    /// the time only: it knows no `Idempotency-Key`.
    pub(crate) fn repeatable(self) -> Self {
        Self {
            repeatable: true,
            ..self
        }
    }

    /// A caller without a key is let in if what the request names asks for none.
    pub(crate) fn key_is_optional(self) -> Self {
        Self {
            key_is_optional: true,
            ..self
        }
    }

    /// Whether a POST with an `Idempotency-Key` happens once. Searches need not say that they
    /// are repeatable.
    pub(crate) fn knows_idempotency(&self) -> bool {
        let mut operations = self.methods.iter().flat_map(|method| method.operations);
        let searches = operations.any(|operation| matches!(operation.body, Body::Search(_)));
        self.endpoint.is_some() && !self.repeatable && !searches
    }

    /// The name in the path stands for this rather than for a UUID.
    pub(crate) fn path_kind(mut self, name: &'static str, kind: Kind) -> Self {
        self.path_kinds.push((name, kind));
        self
    }

    /// What stands for the name in the path.
    pub(crate) fn kind_of(&self, name: &str) -> Kind {
        let given = self.path_kinds.iter().find(|(known, _)| *known == name);
        given.map_or(Kind::Id, |(_, kind)| *kind)
    }

    pub(crate) fn get<F, Args>(self, handler: F, operations: &'static [Operation]) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(Method::GET, handler, operations)
    }

    pub(crate) fn post<F, Args>(self, handler: F, operations: &'static [Operation]) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(Method::POST, handler, operations)
    }

    pub(crate) fn put<F, Args>(self, handler: F, operations: &'static [Operation]) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(Method::PUT, handler, operations)
    }

    pub(crate) fn patch<F, Args>(self, handler: F, operations: &'static [Operation]) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(Method::PATCH, handler, operations)
    }

    pub(crate) fn delete<F, Args>(self, handler: F, operations: &'static [Operation]) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(Method::DELETE, handler, operations)
    }

    fn with<F, Args>(mut self, method: Method, handler: F, operations: &'static [Operation]) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(Described {
            route: web::method(method.clone()).to(handler),
            method,
            operations,
        });
        self
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where routes become the server's"
    )]
    fn register(self, config: &mut ServiceConfig) {
        let idempotent = self.knows_idempotency();
        let without_id = self.paths.first().map_or(0, |path| segments(path));
        let mut resource = web::resource(self.paths);
        for described in self.methods {
            let only_without_id = described.operations.iter().all(|one| one.at == At::NoId);
            let route = match only_without_id {
                true => described.route.guard(fn_guard(move |context| {
                    segments(context.head().uri.path()) == without_id
                })),
                false => described.route,
            };
            resource = resource.route(route);
        }
        if let Some(endpoint) = self.endpoint {
            resource = resource.app_data(endpoint);
        }
        match idempotent {
            true => config.service(resource.wrap(from_fn(idempotency_middleware))),
            false => config.service(resource),
        };
    }
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

/// How many names a path has.
fn segments(path: &str) -> usize {
    path.split('/').filter(|name| !name.is_empty()).count()
}
