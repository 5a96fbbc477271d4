//! Users and tenants that are being erased: no query finds them any more. [`crate::erasure`]
//! does the rest.

use diesel::prelude::*;

use crate::db::sql_type::text_enum;
use crate::schema::erasures;

text_enum! {
    /// What is erased.
    Kind {
        /// One user.
        User = "User",
        /// A tenant, with all its users.
        Tenant = "Tenant",
    }
}

/// The Ids of users that are being erased: few, and as a rule none. Clients choose Ids, so that
/// of a user may be that of a tenant too.
#[diesel::dsl::auto_type]
pub(crate) fn users_under_erasure() -> _ {
    let user: Kind = Kind::User;
    erasures::table
        .filter(erasures::kind.eq(user))
        .select(erasures::id)
}

/// The same of tenants.
#[diesel::dsl::auto_type]
pub(crate) fn tenants_under_erasure() -> _ {
    let tenant: Kind = Kind::Tenant;
    erasures::table
        .filter(erasures::kind.eq(tenant))
        .select(erasures::id)
}
