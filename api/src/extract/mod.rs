//! Who is asking, for which tenant, and about what: everything before the body.
//!
//! [`Call`] is the one extractor. It refuses in a fixed order (key, tenant header), and
//! its methods continue it (Ids and parameters of the URL, then the body), so that a
//! handler reads from top to bottom as a request is judged.

mod access;
mod call;
mod endpoint;
mod lookup;
mod number;
mod origin;
mod query;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use call::{Call, Caller};
pub(crate) use call::{TENANT_HEADER, identify, tenant_of};
pub use endpoint::Endpoint;
pub use lookup::Lookup;
pub use origin::Origin;
pub use query::Query;
