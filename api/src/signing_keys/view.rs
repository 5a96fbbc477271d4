//! A signing key as the API returns it: all but its private part.

use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::view::{Absent, Members, View};

pub(super) fn key(key: &SigningKeyRow) -> View {
    Members::new(Absent::Omit)
        .with("algorithm", key.algorithm)
        .with("hasPrivateKey", key.private_key.is_some())
        .with("id", key.id)
        .with("insertInstant", key.insert_instant)
        .with("kid", &key.kid)
        .with("lastUpdateInstant", key.last_update_instant)
        .with("length", key.length)
        .with("name", &key.name)
        .maybe("publicKey", key.public_key.as_ref())
        .maybe("tenantId", key.tenant_id)
        .with("type", key.algorithm.key_type().as_str())
        .done()
}
