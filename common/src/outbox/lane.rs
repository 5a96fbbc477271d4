//! Lanes of mail: one for each server, so that a stuck one delays no other tenant.

use uuid::Uuid;

use crate::id::LaneId;
use crate::model::tenant::Tenant;

/// Namespace of lane Ids made from the name of a server.
const NAMESPACE: Uuid = Uuid::from_u128(0x0192_9be2_6f0a_7d53_8f1c_5a52_0c37_b1e4);

/// The lane of a tenant's mail: its SMTP server and login, or the server's default.
#[must_use]
pub fn mail_lane(tenant: &Tenant) -> LaneId {
    let name = match tenant.email_setting("host") {
        None => "default".to_owned(),
        Some(host) => {
            let port = tenant.email_configuration.0.get("port");
            let port = port.map(ToString::to_string).unwrap_or_default();
            let user = tenant.email_setting("username").unwrap_or_default();
            format!("{}:{port}:{user}", host.to_lowercase())
        }
    };
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).into()
}
