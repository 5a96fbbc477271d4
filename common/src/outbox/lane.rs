//! Lanes of mail: one for each server and login, so that a stuck one delays no other tenant.

use uuid::Uuid;

use crate::id::LaneId;
use crate::model::tenant::Tenant;

/// Namespace of lane Ids made from the name of a server.
const NAMESPACE: Uuid = Uuid::from_u128(0x0192_9be2_6f0a_7d53_8f1c_5a52_0c37_b1e4);

/// The lane of a tenant's mail: its SMTP server and login, or the server's default.
///
/// What makes a connection fail belongs to it, so that a tenant with a wrong setting makes
/// nobody rest but itself. The password does too; since it must not leave its seal, a login
/// is the tenant's own, whoever else logs in under the same name.
#[must_use]
pub fn mail_lane(tenant: &Tenant) -> LaneId {
    let name = match tenant.email_setting("host") {
        None => "default".to_owned(),
        Some(host) => {
            let port = tenant.email_configuration.0.get("port");
            let port = port.map(ToString::to_string).unwrap_or_default();
            let security = tenant.email_setting("security").unwrap_or("NONE");
            let login = match tenant.email_setting("username") {
                Some(user) => format!("{user}:{}", tenant.id),
                None => String::new(),
            };
            format!("{}:{port}:{security}:{login}", host.to_lowercase())
        }
    };
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::test_support;

    fn lane(settings: Value) -> LaneId {
        mail_lane(&test_support::tenant("any", &settings))
    }

    #[test]
    fn what_makes_connections_fail_is_nobody_elses() {
        let plain = || json!({"host": "mail.example", "port": 25, "security": "NONE"});
        assert_eq!(lane(plain()), lane(plain()));
        assert_eq!(
            lane(plain()),
            lane(json!({"host": "Mail.Example", "port": 25}))
        );
        for (member, value) in [
            ("host", json!("other.example")),
            ("port", json!(26)),
            ("security", json!("SSL")),
            ("username", json!("piper")),
        ] {
            let mut other = plain();
            other[member] = value;
            assert_ne!(lane(plain()), lane(other), "{member}");
        }
        // Whoever else logs in under this name: the password may be wrong.
        let login = || json!({"host": "mail.example", "port": 25, "username": "piper"});
        assert_ne!(lane(login()), lane(login()));
        assert_eq!(lane(json!({})), lane(json!({"username": "piper"})));
    }
}
