//! Who is asking, for which tenant, and about what: everything before the body.
//!
//! [`Call`] is the one extractor, beside what it is before its key was looked up
//! (`unauthenticated`). It refuses in a fixed order (key, tenant header), and its methods continue
//! it (Ids and parameters of the URL, then the body), so that a handler reads from top to
//! bottom as a request is judged.

mod access;
mod call;
mod credentials;
mod endpoint;
mod number;
mod origin;
mod query;
mod unauthenticated;
mod update;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use call::Call;
pub(crate) use call::tenant_of;
pub use credentials::Caller;
pub(crate) use credentials::{Credentials, TENANT_HEADER, authenticate_batch, identify};
pub use endpoint::Endpoint;
pub use origin::Origin;
pub use query::Query;
pub(crate) use unauthenticated::UnauthenticatedCall;
