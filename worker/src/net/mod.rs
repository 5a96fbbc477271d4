//! What the webhook and the mail side share to reach another machine: names
//! to addresses, addresses to connections, and whom TLS trusts. No protocol
//! is spoken here.

mod dial;
mod resolve;
mod tls;

pub use dial::{DialError, deadline_in, dial};
pub use resolve::{BoxFuture, Resolve, SystemResolver, resolve_host};
pub use tls::{Trust, TrustError};
