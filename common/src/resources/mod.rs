//! What clients create, change and delete, without HTTP: how requests are read and refused,
//! and the operations on each noun.

mod actor;
pub mod api_keys;
mod audit;
mod error;
pub mod event_types;
pub mod field;
pub mod input;
pub mod member;
pub mod member_type;
mod patch;
mod problem;
mod resource;
pub mod search;
pub mod signing_keys;
mod tenant_ids;
pub mod tenants;
pub mod webhooks;

pub use actor::{Actor, Context};
pub use error::ResourceError;
pub use patch::PatchKind;
pub use problem::{Collector, Errors, General, Prefix};
pub use resource::{
    Resource, Searchable, create, delete, find, find_for_update, record, show, update,
};
pub use tenant_ids::check_tenant_ids;
