//! Keys that sign the bodies of webhooks, and mail. Private parts go in, but never out.

mod material;
mod members;

use std::sync::Arc;

use serde_json::{Map, Value};

use self::material::Material;
pub use self::material::{Make, generate, import};
pub use self::members::{BROUGHT, KEY, NEW, RENAMED};
use super::actor::Context;
use super::error::ResourceError;
use super::input::{LONGEST_NAME, Object, read_wrapped};
use super::member::Member;
use super::problem::Prefix;
use super::resource::{Resource, Searchable, insert, read_new};
use crate::db::AnyConnection;
use crate::id::{SigningKeyId, TenantId};
use crate::model::normalize;
use crate::model::search::{Found, Sort, Window};
use crate::model::signing_key::SigningKeyRow;
use crate::model::tenant::Tenant;
use crate::seal::Sealer;
use crate::sign::jws::{Algorithm, JwsKey, PublicKey};
use crate::unix_millis::UnixMillis;

/// A signing key.
#[derive(Debug)]
pub struct SigningKeyResource {
    row: SigningKeyRow,
}

/// A key that is made, and not stored yet.
#[derive(Debug, Clone)]
pub struct NewKey {
    algorithm: Algorithm,
    material: Arc<Material>,
}

impl SigningKeyResource {
    /// A key does not exist for those who may only look at another tenant.
    fn visible(row: Option<SigningKeyRow>, context: &Context) -> Option<Self> {
        let scope = context.actor.scope;
        row.filter(|key| scope.is_none_or(|tenant| key.serves(tenant)))
            .map(|row| Self { row })
    }
}

impl Resource for SigningKeyResource {
    type Id = SigningKeyId;

    const NOUN: &'static str = "key";
    const NOUNS: &'static str = "keys";
    const ID: &'static str = "keyId";
    const MEMBERS: &'static [Member<Self>] = members::MEMBERS;

    /// Nothing of a key changes but its name.
    fn blank(id: SigningKeyId, now: UnixMillis, stored: Option<&Self>) -> Self {
        let stored = stored.map(|stored| stored.row.clone());
        let row = SigningKeyRow {
            last_update_instant: now,
            ..stored.unwrap_or_else(|| SigningKeyRow::blank(id, now))
        };
        Self { row }
    }

    fn id(&self) -> SigningKeyId {
        self.row.id
    }

    fn tenant(&self) -> Option<TenantId> {
        self.row.tenant_id
    }

    fn exists(connection: &mut AnyConnection, id: SigningKeyId) -> Result<bool, ResourceError> {
        Ok(SigningKeyRow::exists(connection, id)?)
    }

    fn load(
        connection: &mut AnyConnection,
        context: &Context,
        ids: &[SigningKeyId],
    ) -> Result<Vec<Self>, ResourceError> {
        let rows = SigningKeyRow::load(connection, ids)?.into_iter();
        Ok(rows
            .filter_map(|row| Self::visible(Some(row), context))
            .collect())
    }

    fn find_for_update(
        connection: &mut AnyConnection,
        context: &Context,
        id: SigningKeyId,
    ) -> Result<Option<Self>, ResourceError> {
        let row = SigningKeyRow::find_for_update(connection, id)?;
        Ok(Self::visible(row, context))
    }

    fn check(
        &mut self,
        connection: &mut AnyConnection,
        _: &Context,
        object: &Object<'_>,
        _: Option<&Self>,
    ) -> Result<(), ResourceError> {
        let row = &mut self.row;
        row.name = object.required_text("name", LONGEST_NAME);
        row.name_normalized = normalize(&row.name);
        let of_other = |other| other != row.id;
        if SigningKeyRow::by_name(connection, &row.name)?.is_some_and(of_other) {
            object.refuse(Prefix::Duplicate, "name");
        }
        Ok(())
    }

    fn insert(&mut self, connection: &mut AnyConnection, _: &Context) -> Result<(), ResourceError> {
        Ok(self.row.insert(connection)?)
    }

    fn update(&mut self, connection: &mut AnyConnection, _: &Context) -> Result<(), ResourceError> {
        self.row.update(connection)?;
        Ok(())
    }

    fn find_for_delete(
        connection: &mut AnyConnection,
        context: &Context,
        id: SigningKeyId,
    ) -> Result<Option<Self>, ResourceError> {
        let row = SigningKeyRow::find_for_delete(connection, id)?;
        Ok(Self::visible(row, context))
    }

    /// Refused while a webhook or a tenant names the key: what they send could not be signed.
    fn delete(&self, connection: &mut AnyConnection, _: &Context) -> Result<(), ResourceError> {
        if SigningKeyRow::in_use(connection, self.row.id)? {
            return Err(ResourceError::field(Prefix::InUse, Self::ID));
        }
        SigningKeyRow::delete(connection, self.row.id)?;
        Ok(())
    }
}

/// There is a list, by name, and no search.
impl Searchable for SigningKeyResource {
    type Criteria = ();

    const ORDER: &'static [&'static str] = &[];
    const DEFAULT_ORDER: &'static str = "";

    fn read_criteria(_: &Object<'_>) {}

    fn search(
        connection: &mut AnyConnection,
        context: &Context,
        (): &(),
        _: &[Sort],
        _: Window,
    ) -> Result<Found<SigningKeyId>, ResourceError> {
        let ids = SigningKeyRow::ids_by_name(connection, context.actor.scope)?;
        let total = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        Ok(Found { total, ids })
    }
}

/// Makes or reads the key that a request is about. That takes time, so it is done outside any
/// transaction.
///
/// # Errors
/// [`ResourceError::Invalid`] with everything that is wrong with the key.
pub fn make_key(members: &Map<String, Value>, make: Make) -> Result<NewKey, ResourceError> {
    let made = read_wrapped(members, SigningKeyResource::NOUN, |object| {
        // Reported along with the rest; whether another key has it is asked later.
        let _ = object.required_text("name", LONGEST_NAME);
        let Some(algorithm) = read_algorithm(object) else {
            return Ok(None);
        };
        let material = make(object, algorithm)?.map(Arc::new);
        Ok::<_, ResourceError>(material.map(|material| NewKey {
            algorithm,
            material,
        }))
    })?;
    made.ok_or_else(|| ResourceError::internal("a key is missing, and no reason"))
}

fn read_algorithm(object: &Object<'_>) -> Option<Algorithm> {
    let algorithm = object.choice("algorithm");
    if algorithm.is_none() && object.errors().accepts(&object.path("algorithm")) {
        object.refuse(Prefix::Missing, "algorithm");
    }
    algorithm
}

/// Stores a key that was made, with what the request says beside it.
///
/// # Errors
/// [`ResourceError::Invalid`] with everything that is wrong.
pub fn create_signing_key(
    connection: &mut AnyConnection,
    context: &Context,
    given: Option<SigningKeyId>,
    members: &Map<String, Value>,
    new: &NewKey,
) -> Result<SigningKeyResource, ResourceError> {
    let key = read_wrapped(members, SigningKeyResource::NOUN, |object| {
        let mut key: SigningKeyResource = read_new(connection, context, object, given)?;
        check_tenant(&mut key.row, connection, context, object)?;
        new.complete(&mut key.row, connection, &context.sealer, object)?;
        Ok::<_, ResourceError>(key)
    })?;
    insert(connection, context, key)
}

/// The only tenant that the key signs for, if the request names one. The tenant header alone
/// names none: clients send it with every request, and keys are of all tenants.
fn check_tenant(
    key: &mut SigningKeyRow,
    connection: &mut AnyConnection,
    context: &Context,
    object: &Object<'_>,
) -> Result<(), ResourceError> {
    key.tenant_id = object.id("tenantId");
    let Some(tenant) = key.tenant_id else {
        return Ok(());
    };
    let is_out_of_scope = context.actor.scope.is_some_and(|scope| scope != tenant);
    if is_out_of_scope || Tenant::find(connection, tenant)?.is_none() {
        object.refuse(Prefix::Invalid, "tenantId");
    }
    Ok(())
}

impl NewKey {
    fn complete(
        &self,
        key: &mut SigningKeyRow,
        connection: &mut AnyConnection,
        sealer: &Sealer,
        object: &Object<'_>,
    ) -> Result<(), ResourceError> {
        key.kid = match object.short_text("kid", LONGEST_NAME) {
            Some(kid) => kid,
            None => self.material.kid()?,
        };
        if SigningKeyRow::has_kid(connection, &key.kid)? {
            object.refuse(Prefix::Duplicate, "kid");
        }
        key.algorithm = self.algorithm;
        key.length = self.material.length();
        let (own, public) = (self.material.own.as_ref(), self.material.public.as_ref());
        let place = SigningKeyRow::key_place(key.id);
        let public = public.map(PublicKey::to_pem).transpose();
        key.public_key = public.map_err(ResourceError::internal)?;
        let seal = |own: &JwsKey| sealer.seal(place, own.stored());
        let private = own.map(seal).transpose();
        key.private_key = private.map_err(ResourceError::internal)?;
        Ok(())
    }
}
