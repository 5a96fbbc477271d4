//! `POST /api/key/generate[/{keyId}]` and `POST /api/key/import[/{keyId}]`

use std::sync::Arc;

use beadle_common::db::AnyConnection;
use beadle_common::id::{SigningKeyId, TenantId};
use beadle_common::model::normalize;
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::model::tenant::Tenant;
use beadle_common::seal::Sealer;
use beadle_common::sign::jws::{Algorithm, JwsKey, PublicKey};
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Map, Value};

use super::material::{self, Material};
use super::update::read_name;
use super::{ENDPOINT, WRAPPER, view};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::{LONGEST_NAME, Object, read_wrapped};

/// Makes what a request asks for, outside the transaction, since RSA keys take time. None
/// if something was reported.
type Make = fn(&Object<'_>, Algorithm) -> Result<Option<Material>, ApiError>;

pub(super) async fn generate_key(call: Call) -> Answer {
    create(call, material::generate).await
}

pub(super) async fn import_key(call: Call) -> Answer {
    create(call, material::import).await
}

async fn create(mut call: Call, make: Make) -> Answer {
    let given: Option<SigningKeyId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let (id, now) = (given.unwrap_or_else(SigningKeyId::random), call.now());
    let sealer = call.state().sealer.clone();
    let (new, members) = made(members, make).await?;
    let scope = call.scope();
    call.commit(move |connection| {
        let row = read_wrapped(&members, WRAPPER, |object| {
            if given.is_some() && SigningKeyRow::exists(connection, id)? {
                object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
            }
            let tenant_id = read_tenant(connection, object, scope)?;
            let row = new.row(connection, &sealer, object, id, now)?;
            Ok(SigningKeyRow { tenant_id, ..row })
        })?;
        row.insert(connection)?;
        Ok(Reply::wrapped(WRAPPER, view::key(&row)))
    })
    .await
}

/// A key that is not stored yet.
#[derive(Debug, Clone)]
struct New {
    algorithm: Algorithm,
    material: Arc<Material>,
}

/// Makes the key on a thread that may take its time.
async fn made(
    members: Map<String, Value>,
    make: Make,
) -> Result<(New, Map<String, Value>), ApiError> {
    let work = move || {
        let made = read_wrapped(&members, WRAPPER, |object| {
            // Reported along with the rest; whether another key has it is asked later.
            let _ = object.required_text("name", LONGEST_NAME);
            let Some(algorithm) = read_algorithm(object) else {
                return Ok(None);
            };
            let material = make(object, algorithm)?.map(Arc::new);
            Ok(material.map(|material| New {
                algorithm,
                material,
            }))
        })?;
        let made = made.ok_or_else(|| ApiError::internal("a key is missing, and no reason"))?;
        Ok((made, members))
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(ApiError::internal)?
}

fn read_algorithm(object: &Object<'_>) -> Option<Algorithm> {
    let algorithm = object.choice("algorithm");
    if algorithm.is_none() && object.errors().accepts(&object.path("algorithm")) {
        object.refuse(Prefix::Missing, "algorithm");
    }
    algorithm
}

/// The only tenant that the key signs for, if the request names one. The tenant header alone
/// names none: clients send it with every request, and keys are of all tenants.
fn read_tenant(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    scope: Option<TenantId>,
) -> Result<Option<TenantId>, ApiError> {
    let Some(tenant) = object.id("tenantId") else {
        return Ok(None);
    };
    let is_out_of_scope = scope.is_some_and(|scope| scope != tenant);
    if is_out_of_scope || Tenant::find(connection, tenant)?.is_none() {
        object.refuse(Prefix::Invalid, "tenantId");
    }
    Ok(Some(tenant))
}

impl New {
    /// The row, with what the client chooses. Problems are reported to the object's
    /// collector.
    fn row(
        &self,
        connection: &mut AnyConnection,
        sealer: &Sealer,
        object: &Object<'_>,
        id: SigningKeyId,
        now: UnixMillis,
    ) -> Result<SigningKeyRow, ApiError> {
        let name = read_name(connection, object, id)?;
        let kid = match object.short_text("kid", LONGEST_NAME) {
            Some(kid) => kid,
            None => self.material.kid()?,
        };
        if SigningKeyRow::has_kid(connection, &kid)? {
            object.refuse(Prefix::Duplicate, "kid");
        }
        let (own, public) = (&self.material.own, &self.material.public);
        let seal = |own: &JwsKey| sealer.seal(SigningKeyRow::key_place(id), own.stored());
        Ok(SigningKeyRow {
            id,
            name_normalized: normalize(&name),
            name,
            algorithm: self.algorithm,
            kid,
            length: self.material.length(),
            public_key: public
                .as_ref()
                .map(PublicKey::to_pem)
                .transpose()
                .map_err(ApiError::internal)?,
            private_key: own
                .as_ref()
                .map(seal)
                .transpose()
                .map_err(ApiError::internal)?,
            insert_instant: now,
            last_update_instant: now,
            tenant_id: None,
        })
    }
}
