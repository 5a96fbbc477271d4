//! What a client may say of an API key, and the rules for it.

use std::collections::BTreeMap;

use beadle_common::db::{AnyConnection, Json, JsonText};
use beadle_common::id::ApiKeyId;
use beadle_common::model::api_key::{ApiKey, Endpoints};
use beadle_common::model::normalize;
use beadle_common::unix_millis::UnixMillis;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};

/// The members that may change after the creation.
pub(super) struct Changeable {
    name: Option<String>,
    /// None: the request does not say.
    permissions: Option<Endpoints>,
    expiration_instant: Option<UnixMillis>,
    meta_data: JsonText,
}

impl Changeable {
    /// Reads them. Problems are reported to the object's collector.
    pub(super) fn read(
        connection: &mut AnyConnection,
        object: &Object<'_>,
        id: ApiKeyId,
        retrievable: bool,
    ) -> Result<Self, ApiError> {
        let name = object.short_text("name", LONGEST_NAME);
        match &name {
            Some(name) if ApiKey::by_name(connection, name)?.is_some_and(|other| other != id) => {
                object.refuse(Prefix::Duplicate, "name");
            }
            // Nothing else would tell such a key from another.
            None if !retrievable && object.errors().accepts(&object.path("name")) => {
                object.refuse(Prefix::Blank, "name");
            }
            _ => {}
        }
        Ok(Self {
            name,
            permissions: read_permissions(object),
            expiration_instant: object.instant("expirationInstant"),
            meta_data: read_meta_data(object),
        })
    }

    /// Puts them into the row of a key to be: without permissions it may do everything.
    pub(super) fn apply(self, key: &mut ApiKey, now: UnixMillis) {
        key.name_normalized = self.name.as_deref().map(normalize);
        key.name = self.name;
        key.permissions = self.permissions.map(Json);
        key.expiration_instant = self.expiration_instant;
        key.meta_data = self.meta_data;
        key.last_update_instant = now;
    }

    /// Puts them into the row of a key that is in use, which must not gain by losing. A PUT
    /// that is silent about permissions leaves them alone; a PATCH starts from them, so there
    /// its silence means that they were taken away, and nothing is left.
    pub(super) fn change(self, key: &mut ApiKey, is_patch: bool, now: UnixMillis) {
        let silence = match key.permissions.take() {
            Some(_) if is_patch => Some(Json(Endpoints::new())),
            stored => stored,
        };
        self.apply(key, now);
        key.permissions = key.permissions.take().or(silence);
    }
}

/// Which methods of which endpoints. What names only the endpoint of keys, which cannot be
/// granted, is refused rather than emptied.
fn read_permissions(object: &Object<'_>) -> Option<Endpoints> {
    let permissions = object.object("permissions")?;
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
    read.remove(super::ENDPOINT.path);
    if given > 0 && read.is_empty() {
        permissions.refuse(Prefix::Invalid, "endpoints");
    }
    Some(read)
}

fn read_meta_data(object: &Object<'_>) -> JsonText {
    let attributes = object
        .object("metaData")
        .map(|meta_data| meta_data.data_text("attributes"));
    let attributes = attributes.unwrap_or_else(JsonText::empty_object);
    JsonText::of(&BTreeMap::from([("attributes", attributes)]))
}
