//! `sourceTenantId` beside a new tenant: it gets everything that the source has, but the
//! name, and the DKIM of a key that is the source's alone.

use crate::db::AnyConnection;
use crate::id::TenantId;
use crate::model::signing_key::SigningKeyRow;
use crate::model::tenant::Tenant;
use crate::seal::Sealer;
use serde_json::{Map, Value};

use super::{TenantResource, document_with, smtp_password};
use crate::resources::error::ResourceError;
use crate::resources::input::Object;
use crate::resources::problem::{Collector, Prefix};
use crate::resources::resource::Resource;

const MEMBER: &str = "sourceTenantId";

/// The members of the request, with the source's in place of the tenant's if one is named.
pub(super) fn with_source(
    connection: &mut AnyConnection,
    sealer: &Sealer,
    members: &Map<String, Value>,
) -> Result<Map<String, Value>, ResourceError> {
    let mut members = members.clone();
    let errors = Collector::new();
    let id = Object::root(&members, &errors).id::<TenantId>(MEMBER);
    errors.finish()?;
    let Some(id) = id else {
        return Ok(members);
    };
    let source = Tenant::find(connection, id)?
        .ok_or_else(|| ResourceError::field(Prefix::Invalid, MEMBER))?;
    let password = smtp_password(sealer, &source)?;
    let of_its_own = signs_with_its_own(connection, &source)?;
    let mut copy = document_with(&TenantResource::of(source), password.as_deref());
    if of_its_own
        && let Some(Value::Object(settings)) = copy.pointer_mut("/tenant/emailConfiguration")
    {
        settings.remove("dkim");
    }
    if let Some(tenant) = members
        .get_mut(TenantResource::NOUN)
        .filter(|tenant| tenant.is_object())
        && let Some(copy) = copy.get_mut(TenantResource::NOUN)
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
fn signs_with_its_own(
    connection: &mut AnyConnection,
    source: &Tenant,
) -> Result<bool, ResourceError> {
    let Some(dkim) = source.dkim() else {
        return Ok(false);
    };
    let key = SigningKeyRow::find(connection, dkim.key)?;
    Ok(key.is_some_and(|key| key.tenant_id.is_some()))
}
