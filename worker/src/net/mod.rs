//! What the webhook and the mail side share to reach another machine: names
//! to addresses, which of them may be reached, addresses to connections, and
//! whom TLS trusts. No protocol is spoken here.

mod dial;
mod guard;
mod resolve;
mod tls;

pub use dial::{DialError, deadline_in, dial};
pub use guard::{Allowlist, Blocked, is_public, vet};
pub use resolve::{BoxFuture, Resolve, SystemResolver, resolve_host};
pub use tls::{Trust, TrustError};
