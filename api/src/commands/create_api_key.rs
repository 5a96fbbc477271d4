//! `beadle-api create-api-key`: the first key, or one more, without a running server.

use std::collections::BTreeMap;

use beadle_common::bootstrap::{BootstrapError, NewApiKey, insert_api_key};
use beadle_common::db::{Db, DbError, IfMissing};
use beadle_common::id::TenantId;
use beadle_common::model::tenant::Tenant;
use beadle_common::settings::{DatabaseSettings, LogSettings, SecretKeySettings};
use beadle_common::unix_millis::UnixMillis;
use clap::Args;
use secrecy::ExposeSecret;

use super::Failure;

/// The settings of a new API key.
#[derive(Debug, Clone, Args)]
pub struct CreateApiKey {
    /// What the key is for; unique
    #[arg(long)]
    name: Option<String>,

    /// Id of the only tenant that the key may act for
    #[arg(long)]
    tenant: Option<TenantId>,

    /// A method and an endpoint that the key may use, such as 'GET /api/user-action';
    /// may be given several times. Without any, the key may do everything
    #[arg(long = "permission", value_name = "METHOD ENDPOINT", value_parser = parse_permission)]
    permissions: Vec<Permission>,

    /// The key may make other keys
    #[arg(long)]
    key_manager: bool,

    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    secret_key: SecretKeySettings,
    #[command(flatten)]
    log: LogSettings,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Permission {
    method: String,
    endpoint: String,
}

fn parse_permission(text: &str) -> Result<Permission, String> {
    const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];
    let expected = || {
        format!(
            "`{text}` is not a permission; expected a method and an endpoint, such as 'GET /api/user-action'"
        )
    };
    let (method, endpoint) = text.trim().split_once(' ').ok_or_else(expected)?;
    let method = method.to_uppercase();
    let endpoint = endpoint.trim();
    if !METHODS.contains(&method.as_str()) || !endpoint.starts_with("/api/") {
        return Err(expected());
    }
    Ok(Permission {
        method,
        endpoint: endpoint.trim_end_matches('/').to_owned(),
    })
}

impl CreateApiKey {
    #[expect(clippy::print_stdout, reason = "the key is the command's answer")]
    pub(super) fn run(self) -> Result<(), Failure> {
        self.log.start();
        let db = self.database.open(IfMissing::Refuse)?;
        let sealer = self.secret_key.sealer(&db)?;
        if let Some(tenant) = self.tenant {
            check_tenant(&db, tenant)?;
        }
        let new = NewApiKey {
            key: None,
            name: self.name.clone(),
            tenant_id: self.tenant,
            permissions: endpoints(&self.permissions),
            key_manager: self.key_manager,
        };
        let key = db
            .write_blocking(move |connection| {
                insert_api_key(connection, &sealer, &new, UnixMillis::now())
            })
            .map_err(|error| named(error, self.name.as_deref()))?;
        println!("{}", key.expose_secret());
        Ok(())
    }
}

fn check_tenant(db: &Db, tenant: TenantId) -> anyhow::Result<()> {
    let exists =
        db.read_blocking(move |connection| Ok::<_, DbError>(Tenant::exists(connection, tenant)?))?;
    anyhow::ensure!(exists, "there is no tenant with the id {tenant}");
    Ok(())
}

fn endpoints(permissions: &[Permission]) -> BTreeMap<String, Vec<String>> {
    let mut endpoints = BTreeMap::<String, Vec<String>>::new();
    for permission in permissions {
        let methods = endpoints.entry(permission.endpoint.clone()).or_default();
        if !methods.contains(&permission.method) {
            methods.push(permission.method.clone());
        }
    }
    endpoints
}

/// The only unique value that a person gives here is the name.
fn named(error: BootstrapError, name: Option<&str>) -> anyhow::Error {
    match (error, name) {
        (BootstrapError::Database(DbError::Duplicate(_)), Some(name)) => {
            anyhow::anyhow!("there is an API key with the name `{name}` already")
        }
        (error, _) => anyhow::Error::new(error).context("cannot store the key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_methods_of_endpoints() {
        let permissions = [
            "GET /api/user-action",
            "post /api/user/action/",
            "PUT /api/user-action",
        ]
        .map(|text| parse_permission(text).unwrap());
        let endpoints = endpoints(&permissions);
        assert_eq!(endpoints["/api/user-action"], ["GET", "PUT"]);
        assert_eq!(endpoints["/api/user/action"], ["POST"]);
        for bad in ["", "GET", "FETCH /api/user", "GET user", "/api/user GET"] {
            assert!(parse_permission(bad).is_err(), "{bad}");
        }
    }
}
