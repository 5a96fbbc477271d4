//! `sourceTenantId` beside a new tenant: it gets everything that the source has, but the
//! name, and the DKIM of a key that is the source's alone.

use beadle_common::db::AnyConnection;
use beadle_common::id::TenantId;
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::model::tenant::Tenant;
use beadle_common::seal::Sealer;
use serde_json::{Map, Value};

use super::WRAPPER;
use super::view::{for_patch, smtp_password};
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::input::Object;

const MEMBER: &str = "sourceTenantId";

/// The members of the request, with the source's in place of the tenant's if one is named.
pub(super) fn with_source(
    connection: &mut AnyConnection,
    sealer: &Sealer,
    members: &Map<String, Value>,
) -> Result<Map<String, Value>, ApiError> {
    let mut members = members.clone();
    let errors = Collector::new();
    let id = Object::root(&members, &errors).id::<TenantId>(MEMBER);
    errors.finish()?;
    let Some(id) = id else {
        return Ok(members);
    };
    let source =
        Tenant::find(connection, id)?.ok_or_else(|| ApiError::field(Prefix::Invalid, MEMBER))?;
    let password = smtp_password(sealer, &source)?;
    let mut copy = for_patch(&source, password.as_deref());
    if signs_with_its_own(connection, &source)?
        && let Some(Value::Object(settings)) = copy.pointer_mut("/tenant/emailConfiguration")
    {
        settings.remove("dkim");
    }
    if let Some(tenant) = members.get_mut(WRAPPER).filter(|tenant| tenant.is_object())
        && let Some(copy) = copy.get_mut(WRAPPER)
    {
        let name = tenant.get("name").cloned().unwrap_or(Value::Null);
        if let Value::Object(copy) = copy {
            copy.insert("name".to_owned(), name);
        }
        *tenant = copy.take();
    }
    Ok(members)
}

/// Whether the tenant's mail is signed with a key that is nobody else's.
fn signs_with_its_own(connection: &mut AnyConnection, source: &Tenant) -> Result<bool, ApiError> {
    let Some(dkim) = source.dkim() else {
        return Ok(false);
    };
    let key = SigningKeyRow::find(connection, dkim.key)?;
    Ok(key.is_some_and(|key| key.tenant_id.is_some()))
}
