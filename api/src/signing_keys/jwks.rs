//! `GET /.well-known/jwks.json`: the public keys, for receivers. No API key is needed.

use actix_web::web::Data;
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::sign::jws::PublicKey;
use serde_json::Value;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::state::State;

pub(super) async fn retrieve_jwks(state: Data<State>) -> Answer {
    let mut keys = state
        .read(|connection| Ok(SigningKeyRow::all(connection)?))
        .await?;
    keys.sort_by(|a, b| a.kid.cmp(&b.kid));
    let jwks = keys
        .iter()
        .filter_map(|key| Some(jwk(key, key.public_key.as_deref()?)))
        .collect::<Result<Value, _>>()?;
    Ok(answer::wrapped("keys", jwks))
}

fn jwk(key: &SigningKeyRow, pem: &str) -> Result<Value, ApiError> {
    let public = PublicKey::parse(key.algorithm, pem).map_err(ApiError::internal)?;
    let jwk = public.jwk(&key.kid).map_err(ApiError::internal)?;
    Ok(Value::Object(jwk))
}
