//! Passwords: which are accepted, and when they are hashed.

use serde_json::Value;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::hashing::Hashing;
use crate::input::{Body, Object};
use crate::patch::PatchKind;

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

/// Hashes the password that a body offers, if it offers one that may be accepted. Done
/// ahead of the transaction, which is no place for something that takes so long.
pub(crate) async fn hash_offered(
    hashing: &Hashing,
    body: &Result<Body, ApiError>,
) -> Result<Option<Hashed>, ApiError> {
    let offered = body.as_ref().ok().and_then(offered);
    let Some(password) =
        offered.filter(|text| (SHORTEST..=LONGEST).contains(&text.chars().count()))
    else {
        return Ok(None);
    };
    let password = password.to_owned();
    let hash = hashing.hash(password.clone()).await?;
    Ok(Some(Hashed { password, hash }))
}

/// Where a body has the password, whichever way it is meant.
fn offered(body: &Body) -> Option<&str> {
    match body.patch {
        Some(PatchKind::JsonPatch) => body.json.as_array()?.iter().rev().find_map(set_by),
        Some(PatchKind::Merge | PatchKind::MergePatch) | None => {
            body.json.get("user")?.get("password")?.as_str()
        }
    }
}

/// The password that an operation of a JSON Patch sets: by itself, or with what is around it.
fn set_by(operation: &Value) -> Option<&str> {
    let text = |name| operation.get(name).and_then(Value::as_str);
    if !matches!(text("op"), Some("add" | "replace")) {
        return None;
    }
    let within = match text("path")? {
        "/user/password" => "",
        "/user" => "/password",
        "" => "/user/password",
        _ => return None,
    };
    operation.get("value")?.pointer(within)?.as_str()
}

/// The hash of `password`, which was hashed ahead.
///
/// # Errors
/// `[invalid]` for what a JSON Patch has put together from elsewhere: where it is known at
/// last, there is no time to hash it.
pub(super) fn hash_of(password: &str, ahead: Option<&Hashed>) -> Result<String, ApiError> {
    match ahead {
        Some(hashed) if hashed.password == password => Ok(hashed.hash.clone()),
        _ => Err(ApiError::field(Prefix::Invalid, "user.password")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_password_is_found_in_every_kind_of_body() {
        let object = json!({"user": {"password": "secret 12"}});
        let operations = json!([
            {"op": "replace", "path": "/user/password", "value": "secret 11"},
            {"op": "add", "path": "/user/password", "value": "secret 12"},
            {"op": "test", "path": "/user/password", "value": "secret 13"},
        ]);
        let whole = json!([{"op": "replace", "path": "", "value": object}]);
        let user = json!([{"op": "add", "path": "/user", "value": object["user"]}]);
        for (json, patch) in [
            (object.clone(), None),
            (object.clone(), Some(PatchKind::Merge)),
            (object, Some(PatchKind::MergePatch)),
            (operations, Some(PatchKind::JsonPatch)),
            (whole, Some(PatchKind::JsonPatch)),
            (user, Some(PatchKind::JsonPatch)),
        ] {
            assert_eq!(
                offered(&Body { json, patch }),
                Some("secret 12"),
                "{patch:?}"
            );
        }
    }
}
