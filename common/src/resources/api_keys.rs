//! API keys, for actors that manage keys. One that is locked to a tenant sees its own.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::actor::Context;
use super::error::ResourceError;
use super::field::{
    Field, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, Object as Schema, defaulted, given, optional,
    shown,
};
use super::input::{LONGEST_NAME, Object};
use super::member::{Member, member, schema};
use super::problem::{Collector, Prefix};
use super::resource::{Resource, Searchable, find, insert, read_new};
use super::search::{text, text_criterion};
use crate::bootstrap::random_key;
use crate::db::{AnyConnection, Json, JsonText};
use crate::id::{ApiKeyId, TenantId};
use crate::model::api_key::{ApiKey, Endpoints};
use crate::model::listing::ApiKeySearch;
use crate::model::normalize;
use crate::model::search::{Found, Sort, Window};
use crate::model::tenant::Tenant;
use crate::seal::Sealer;
use crate::unix_millis::UnixMillis;
use crate::view::{Absent, Members};

/// Fewer characters could be guessed.
const SHORTEST_KEY: usize = 16;

/// The endpoint of keys, which cannot be granted.
const ENDPOINT: &str = "/api/api-key";

/// An API key, and the key itself if it may be read back.
#[derive(Debug, Default)]
pub struct ApiKeyResource {
    row: ApiKey,
    key: Option<SecretString>,
}

const PERMISSIONS: Schema = Schema::wrapper(&[optional(
    "endpoints",
    Kind::Map(&Kind::List(&Kind::Text)),
    "Methods by endpoint, which is a path without Ids; `{}`: nothing. `/api/api-key` cannot be named.",
)]);

const META_DATA: Schema = Schema::wrapper(&[defaulted(
    "attributes",
    Kind::Data,
    "{}",
    "Anything, such as a `description`.",
)]);

const MEMBERS: &[Member<ApiKeyResource>] = &[
    member!(
        row.expiration_instant,
        optional("expirationInstant", Kind::Instant, "When it stops working.")
    ),
    member!(
        row.id,
        shown("id", Kind::Id, "The key's Id, which is no secret.")
    ),
    member!(row.insert_instant, INSERT_INSTANT),
    Member::new(
        optional(
            "key",
            Kind::ShortText(LONGEST_NAME),
            "The key itself, at least 16 characters; made if it is not given. Shown if it is retrievable. Set at its creation for good.",
        )
        .at_creation()
        .secret(),
        |object, field, key| key.key = read_key(object, field),
        |key: &ApiKeyResource, field, members| {
            let shown = key.key.as_ref().filter(|_| key.row.retrievable);
            members.maybe(field.name, shown.map(ExposeSecret::expose_secret))
        },
    ),
    member!(
        row.key_manager,
        shown(
            "keyManager",
            Kind::Flag,
            "Whether it may manage keys. Never, for one made here.",
        )
    ),
    member!(row.last_update_instant, LAST_UPDATE_INSTANT),
    Member::new(
        defaulted(
            "metaData",
            Kind::Object(&META_DATA),
            "{\"attributes\": {}}",
            "What it is for.",
        ),
        |object, field, key| key.row.meta_data = read_meta_data(object, field),
        |key: &ApiKeyResource, field, members| members.with(field.name, &key.row.meta_data),
    ),
    member!(
        row.name,
        optional(
            "name",
            Kind::ShortText(LONGEST_NAME),
            "Unlike that of any other key, whatever its case. Required if the key is not retrievable.",
        )
    ),
    Member::new(
        optional(
            "permissions",
            Kind::Object(&PERMISSIONS),
            "What it may be used for; absent from a new key: everything. A PUT without them keeps them, and a key that loses the last may do nothing.",
        ),
        |object, field, key| key.row.permissions = read_permissions(object, field),
        |key: &ApiKeyResource, field, members| {
            let endpoints = key.row.permissions.as_ref();
            members.maybe(
                field.name,
                endpoints.map(|endpoints| json!({"endpoints": endpoints.0})),
            )
        },
    ),
    member!(
        row.retrievable,
        defaulted(
            "retrievable",
            Kind::Flag,
            "true",
            "Whether the key can be read back. Set at its creation for good.",
        )
        .at_creation()
    ),
    member!(
        row.tenant_id,
        optional(
            "tenantId",
            Kind::Id,
            "The only tenant it may be used for. Set at its creation for good.",
        )
        .at_creation()
    ),
];

/// An API key in requests and answers.
pub const API_KEY: Schema = schema!("APIKey", "What lets a program in.", MEMBERS);

fn read_key(object: &Object<'_>, field: &Field) -> Option<SecretString> {
    let key = object.short_text(field.name, LONGEST_NAME)?;
    if key.chars().count() < SHORTEST_KEY {
        object.refuse(Prefix::TooShort, field.name);
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        object.refuse(Prefix::Invalid, field.name);
    }
    Some(SecretString::from(key))
}

fn read_meta_data(object: &Object<'_>, field: &Field) -> JsonText {
    let meta_data = object.object(field.name);
    let attributes = meta_data.map(|meta_data| meta_data.data_text("attributes"));
    let attributes = attributes.unwrap_or_default();
    JsonText::of(&BTreeMap::from([("attributes", attributes)]))
}

/// Which methods of which endpoints. What names only the endpoint of keys is refused rather
/// than emptied.
fn read_permissions(object: &Object<'_>, field: &Field) -> Option<Json<Endpoints>> {
    let permissions = object.object(field.name)?;
    let endpoints = permissions.object("endpoints")?;
    let mut read: Endpoints = BTreeMap::new();
    for path in endpoints.members().keys() {
        let mut methods: Vec<String> = Vec::new();
        for listed in endpoints.texts(path) {
            let method = listed.value.to_uppercase();
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        read.insert(path.trim().to_owned(), methods);
    }
    let given = read.len();
    read.remove(ENDPOINT);
    if given > 0 && read.is_empty() {
        permissions.refuse(Prefix::Invalid, "endpoints");
    }
    Some(Json(read))
}

impl ApiKeyResource {
    fn sealed(row: ApiKey) -> Self {
        Self { row, key: None }
    }

    fn opened(row: ApiKey, sealer: &Sealer) -> Result<Self, ResourceError> {
        let sealed = row.key_sealed.as_ref().filter(|_| row.retrievable);
        let place = ApiKey::key_place(row.id);
        let key = sealed.map(|sealed| sealer.open_text(place, sealed));
        let key = key.transpose().map_err(ResourceError::internal)?;
        Ok(Self { row, key })
    }

    /// A key does not exist for a manager that is locked to another tenant.
    fn is_visible(key: &ApiKey, context: &Context) -> bool {
        let lock = context.actor.lock;
        lock.is_none_or(|lock| key.tenant_id == Some(lock))
    }

    /// What only a new key says.
    fn check_new(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
        object: &Object<'_>,
    ) -> Result<(), ResourceError> {
        if let Some(key) = &self.key
            && ApiKey::find_by_key(connection, key.expose_secret())?.is_some()
        {
            object.refuse(Prefix::Duplicate, "key");
        }
        // A locked manager makes keys with the same lock only.
        let lock = context.actor.lock;
        let Some(tenant) = self.row.tenant_id else {
            self.row.tenant_id = lock;
            return Ok(());
        };
        let allowed = lock.is_none_or(|lock| lock == tenant);
        if !allowed || !Tenant::exists(connection, tenant)? {
            object.refuse(Prefix::Invalid, "tenantId");
        }
        Ok(())
    }

    /// A key that is in use must not gain by losing. A PUT that is silent about permissions
    /// leaves them alone; a PATCH starts from them, so there its silence means that they were
    /// taken away, and nothing is left.
    fn keep_permissions(&mut self, stored: &Self, is_patch: bool) {
        if self.row.permissions.is_none() {
            self.row.permissions = match &stored.row.permissions {
                Some(_) if is_patch => Some(Json(Endpoints::new())),
                kept => kept.clone(),
            };
        }
    }

    /// Takes over from another key what the request does not name.
    fn inherit(&mut self, source: Self) {
        let (own, source) = (&mut self.row, source.row);
        own.permissions = own.permissions.take().or(source.permissions);
        own.expiration_instant = own.expiration_instant.or(source.expiration_instant);
        own.tenant_id = own.tenant_id.or(source.tenant_id);
    }
}

impl Resource for ApiKeyResource {
    type Id = ApiKeyId;

    const NOUN: &'static str = "apiKey";
    const NOUNS: &'static str = "apiKeys";
    const ID: &'static str = "keyId";
    const MEMBERS: &'static [Member<Self>] = MEMBERS;

    fn blank(id: ApiKeyId, now: UnixMillis, stored: Option<&Self>) -> Self {
        let stored = stored.map(|stored| stored.row.clone());
        Self::sealed(ApiKey {
            name: None,
            permissions: None,
            expiration_instant: None,
            last_update_instant: now,
            ..stored.unwrap_or_else(|| ApiKey {
                id,
                insert_instant: now,
                ..ApiKey::default()
            })
        })
    }

    fn id(&self) -> ApiKeyId {
        self.row.id
    }

    fn tenant(&self) -> Option<TenantId> {
        self.row.tenant_id
    }

    fn exists(connection: &mut AnyConnection, id: ApiKeyId) -> Result<bool, ResourceError> {
        Ok(ApiKey::exists(connection, id)?)
    }

    fn load(
        connection: &mut AnyConnection,
        context: &Context,
        ids: &[ApiKeyId],
    ) -> Result<Vec<Self>, ResourceError> {
        let rows = ApiKey::load(connection, ids)?.into_iter();
        rows.filter(|row| Self::is_visible(row, context))
            .map(|row| Self::opened(row, &context.sealer))
            .collect()
    }

    fn find_for_update(
        connection: &mut AnyConnection,
        context: &Context,
        id: ApiKeyId,
    ) -> Result<Option<Self>, ResourceError> {
        let row = ApiKey::find_for_update(connection, id)?;
        row.filter(|row| Self::is_visible(row, context))
            .map(|row| Self::opened(row, &context.sealer))
            .transpose()
    }

    /// Without the key itself, which cannot be changed.
    fn document(&self, _: &Context) -> Value {
        let members = MEMBERS.iter().filter(|member| !member.field.secret);
        let shown = members.fold(Members::new(Absent::Omit), |view, member| {
            member.show(self, view)
        });
        json!({Self::NOUN: shown.done().into_value()})
    }

    fn check(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
        object: &Object<'_>,
        stored: Option<&Self>,
    ) -> Result<(), ResourceError> {
        match stored {
            None => self.check_new(connection, context, object)?,
            Some(stored) => {
                self.keep_permissions(stored, context.is_patch());
                self.key.clone_from(&stored.key);
            }
        }
        let row = &mut self.row;
        row.name_normalized = row.name.as_deref().map(normalize);
        match &row.name {
            Some(name) => {
                let of_other = |other| other != row.id;
                if ApiKey::by_name(connection, name)?.is_some_and(of_other) {
                    object.refuse(Prefix::Duplicate, "name");
                }
            }
            // Nothing else would tell such a key from another.
            None if !row.retrievable && object.errors().accepts(&object.path("name")) => {
                object.refuse(Prefix::Blank, "name");
            }
            None => {}
        }
        Ok(())
    }

    fn insert(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError> {
        let key = self.key.take().map_or_else(random_key, Ok);
        let key = key.map_err(ResourceError::internal)?;
        let place = ApiKey::key_place(self.row.id);
        let sealed = context.sealer.seal_text(place, key.expose_secret());
        let sealed = sealed.map_err(ResourceError::internal)?;
        self.row.key_hash = ApiKey::hash(key.expose_secret());
        self.row.key_sealed = self.row.retrievable.then_some(sealed);
        self.key = Some(key);
        Ok(self.row.insert(connection)?)
    }

    fn update(&mut self, connection: &mut AnyConnection, _: &Context) -> Result<(), ResourceError> {
        self.row.update(connection)?;
        Ok(())
    }

    /// What is sealed stays so: one whose seal is lost can be deleted too.
    fn find_for_delete(
        connection: &mut AnyConnection,
        context: &Context,
        id: ApiKeyId,
    ) -> Result<Option<Self>, ResourceError> {
        let row = ApiKey::find_for_delete(connection, id)?;
        Ok(row
            .filter(|row| Self::is_visible(row, context))
            .map(Self::sealed))
    }

    fn delete(&self, connection: &mut AnyConnection, _: &Context) -> Result<(), ResourceError> {
        ApiKey::delete(connection, self.row.id)?;
        Ok(())
    }
}

/// Criteria of the search for keys.
pub const CRITERIA: &[Field] = &[
    text("name"),
    given(
        "tenantId",
        Kind::Id,
        "Those that are locked to this tenant.",
    ),
];

impl Searchable for ApiKeyResource {
    type Criteria = ApiKeySearch;

    const ORDER: &'static [&'static str] = &["id", "insertInstant", "name"];
    const DEFAULT_ORDER: &'static str = "name ASC";

    fn read_criteria(criteria: &Object<'_>) -> ApiKeySearch {
        ApiKeySearch {
            name: text_criterion(criteria, "name"),
            tenant: criteria.id("tenantId"),
            lock: None,
        }
    }

    fn search(
        connection: &mut AnyConnection,
        context: &Context,
        criteria: &ApiKeySearch,
        sorts: &[Sort],
        window: Window,
    ) -> Result<Found<ApiKeyId>, ResourceError> {
        let criteria = ApiKeySearch {
            lock: context.actor.lock,
            ..criteria.clone()
        };
        Ok(ApiKey::search(connection, &criteria, sorts, window)?)
    }

    /// No list shows the keys themselves.
    fn load_listed(
        connection: &mut AnyConnection,
        context: &Context,
        ids: &[ApiKeyId],
    ) -> Result<Vec<Self>, ResourceError> {
        let rows = ApiKey::load(connection, ids)?.into_iter();
        let visible = rows.filter(|row| Self::is_visible(row, context));
        Ok(visible.map(Self::sealed).collect())
    }
}

/// Creates a key by what a body says: `apiKey`, or `sourceKeyId` of a key to copy from, or both.
///
/// # Errors
/// [`ResourceError::Invalid`] with everything that is wrong.
pub fn create_api_key(
    connection: &mut AnyConnection,
    context: &Context,
    given: Option<ApiKeyId>,
    members: &Map<String, Value>,
) -> Result<ApiKeyResource, ResourceError> {
    let (errors, empty) = (Collector::new(), Map::new());
    let body = Object::root(members, &errors);
    let source = read_source(connection, context, &body)?;
    let object = match body.object(ApiKeyResource::NOUN) {
        Some(object) => object,
        None if body.value(SOURCE).is_some() || body.value(ApiKeyResource::NOUN).is_some() => {
            Object::root(&empty, &errors)
        }
        None => return Err(ResourceError::field(Prefix::Missing, ApiKeyResource::NOUN)),
    };
    let mut key: ApiKeyResource = read_new(connection, context, &object, given)?;
    if let Some(source) = source {
        key.inherit(source);
    }
    errors.finish()?;
    insert(connection, context, key)
}

const SOURCE: &str = "sourceKeyId";

/// The key to copy from.
fn read_source(
    connection: &mut AnyConnection,
    context: &Context,
    body: &Object<'_>,
) -> Result<Option<ApiKeyResource>, ResourceError> {
    let Some(id) = body.id(SOURCE) else {
        return Ok(None);
    };
    match find(connection, context, id) {
        Err(ResourceError::NotFound) => {
            body.refuse(Prefix::Invalid, SOURCE);
            Ok(None)
        }
        found => found.map(Some),
    }
}
