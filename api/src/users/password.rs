//! Passwords: which are accepted, and when they are hashed.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::hashing::Hashing;
use crate::input::Object;

const SHORTEST: usize = 8;
/// Long enough for any phrase, and no way to keep a processor busy.
const LONGEST: usize = 256;

/// A password and its hash, made before the transaction that stores it.
#[derive(Clone)]
pub(crate) struct Hashed {
    password: String,
    hash: String,
}

/// The password that a request sets, as it was typed: blanks are part of it.
pub(super) fn read_password(user: &Object<'_>) -> Option<String> {
    let given = user.value("password")?;
    let Some(password) = given.as_str() else {
        user.refuse(Prefix::InvalidJson, "password");
        return None;
    };
    if password.is_empty() {
        return None;
    }
    match password.chars().count() {
        length if length < SHORTEST => user.refuse(Prefix::TooShort, "password"),
        length if length > LONGEST => user.refuse(Prefix::TooLong, "password"),
        _ => {}
    }
    Some(password.to_owned())
}

/// Hashes the password that these members offer, if they offer one that may be accepted. Done
/// ahead of the transaction, which is no place for something that takes so long.
pub(crate) async fn hash_offered(
    hashing: &Hashing,
    members: &Map<String, Value>,
) -> Result<Option<Hashed>, ApiError> {
    let offered = members
        .get("user")
        .and_then(|user| user.get("password"))
        .and_then(Value::as_str);
    let Some(password) =
        offered.filter(|text| (SHORTEST..=LONGEST).contains(&text.chars().count()))
    else {
        return Ok(None);
    };
    let password = password.to_owned();
    let hash = hashing.hash(password.clone()).await?;
    Ok(Some(Hashed { password, hash }))
}

/// The hash of `password`, which was hashed ahead.
///
/// # Errors
/// [`ApiError::Conflict`] if others have changed the user again and again meanwhile, and a
/// patch makes another password of what they wrote: here is no time to hash it.
pub(super) fn hash_of(password: &str, ahead: Option<&Hashed>) -> Result<String, ApiError> {
    match ahead {
        Some(hashed) if hashed.password == password => Ok(hashed.hash.clone()),
        _ => Err(ApiError::Conflict),
    }
}
