//! The three ways to PATCH, as functions over JSON. What comes out is then read and
//! checked exactly like the body of a PUT.

use crate::locale::Locale;
use json_patch::{CopyOperation, MoveOperation, Patch, PatchErrorKind, PatchOperation};
use serde_json::{Map, Value};

use super::ResourceError;
use super::input::shape::{self, Extent};
use super::problem::{Errors, General};

/// What a patch may make a document grow to, and how much a JSON Patch may copy. A few dozen
/// `copy` operations would otherwise double it again and again.
const LARGEST_DOCUMENT: usize = 2 * 1024 * 1024;

/// Operations of a JSON Patch at most: each may copy or compare a whole document.
const MOST_OPERATIONS: usize = 500;

/// How the body of a PATCH is meant; its media type says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/json`: what the official clients send.
    Merge,
    /// `application/merge-patch+json`, RFC 7396.
    MergePatch,
    /// `application/json-patch+json`, RFC 6902.
    JsonPatch,
}

impl PatchKind {
    /// By media type, without its parameters.
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        [
            ("application/json", Self::Merge),
            ("application/merge-patch+json", Self::MergePatch),
            ("application/json-patch+json", Self::JsonPatch),
        ]
        .into_iter()
        .find_map(|(known, kind)| known.eq_ignore_ascii_case(media_type).then_some(kind))
    }

    /// Applies `patch` to the stored object in its wrapper.
    ///
    /// # Errors
    /// [`ResourceError::Invalid`] when the patch makes no sense for this document,
    /// [`ResourceError::TooLarge`] when it makes it grow too much.
    pub fn apply(self, mut document: Value, mut patch: Value) -> Result<Value, ResourceError> {
        // What is larger already may stay, so that it can be made smaller.
        let limit = LARGEST_DOCUMENT.max(Extent::of(&document).bytes);
        match self {
            Self::Merge => {
                spell_locales(&mut patch, &document);
                merge(&mut document, patch);
            }
            Self::MergePatch => {
                spell_locales(&mut patch, &document);
                json_patch::merge(&mut document, &patch);
            }
            Self::JsonPatch => apply_operations(&mut document, patch)?,
        }
        if Extent::of(&document).bytes > limit {
            return Err(ResourceError::TooLarge { limit });
        }
        Ok(document)
    }
}

/// Members are merged, elements are appended, null removes.
fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => merge_members(target, patch),
        (Value::Array(target), Value::Array(patch)) => target.extend(patch),
        (target, patch) => *target = without_nulls(patch),
    }
}

fn merge_members(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else if let Some(stored) = target.get_mut(&name) {
            merge(stored, value);
        } else {
            target.insert(name, without_nulls(value));
        }
    }
}

/// A null within something new asks to remove what was never there.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        other => other,
    }
}

/// A locale is stored in one spelling, whichever a client uses to name the text that it changes or
/// removes. If it uses several, a text goes before a removal.
fn spell_locales(patch: &mut Value, document: &Value) {
    let Value::Object(wrappers) = patch else {
        return;
    };
    for (wrapper, object) in wrappers {
        let Value::Object(members) = object else {
            continue;
        };
        for (name, member) in members {
            if let Value::Object(texts) = member
                && name.starts_with("localized")
            {
                let stored = document.get(wrapper).and_then(|object| object.get(name));
                spell_keys(texts, stored);
            }
        }
    }
}

fn spell_keys(texts: &mut Map<String, Value>, stored: Option<&Value>) {
    let stored = stored.and_then(Value::as_object);
    let spelled = |key: String| {
        let Ok(locale) = Locale::parse(&key) else {
            return key;
        };
        let known = stored.and_then(|stored| {
            let mut keys = stored.keys();
            keys.find(|key| key.eq_ignore_ascii_case(locale.as_str()))
        });
        known.cloned().unwrap_or_else(|| locale.to_string())
    };
    for (key, text) in std::mem::take(texts) {
        let key = spelled(key);
        match texts.get(&key) {
            Some(known) if !known.is_null() && text.is_null() => {}
            _ => drop(texts.insert(key, text)),
        }
    }
}

fn apply_operations(document: &mut Value, patch: Value) -> Result<(), ResourceError> {
    let Patch(operations) = serde_json::from_value(patch).map_err(|error| {
        Errors::general_because(
            General::InvalidJson,
            format!("the body is no JSON Patch: {error}"),
        )
    })?;
    if operations.len() > MOST_OPERATIONS {
        let message = format!("the patch has more than {MOST_OPERATIONS} operations, send fewer");
        return Err(Errors::general_because(General::InvalidJson, message).into());
    }
    let mut room = LARGEST_DOCUMENT;
    for operation in &operations {
        check_operation(document, operation, &mut room)?;
        json_patch::patch(document, std::slice::from_ref(operation)).map_err(
            |error| match error.kind {
                PatchErrorKind::TestFailed => Errors::general(General::JsonPatchTestFailed),
                kind => Errors::general_because(
                    General::InvalidJson,
                    format!(
                        "the operation on `{}` cannot be applied: {kind}",
                        error.path
                    ),
                ),
            },
        )?;
    }
    Ok(())
}

/// Looks at an operation before it is applied: what is too deep must never come to be, and
/// what has been copied counts, whatever became of it. What an operation brings itself is
/// bounded by the body.
fn check_operation(
    document: &Value,
    operation: &PatchOperation,
    room: &mut usize,
) -> Result<(), ResourceError> {
    let path = operation.path();
    if path
        .tokens()
        .any(|token| shape::is_private(&token.decoded()))
    {
        return Err(shape::private_name().into());
    }
    let (extent, taken) = match operation {
        PatchOperation::Remove(_) | PatchOperation::Test(_) => return Ok(()),
        PatchOperation::Add(add) => (Extent::of(&add.value), 0),
        PatchOperation::Replace(replace) => (Extent::of(&replace.value), 0),
        // It gets no deeper, and is no more than before.
        PatchOperation::Move(moved) if path.count() <= moved.from.count() => return Ok(()),
        PatchOperation::Move(MoveOperation { from, .. })
        | PatchOperation::Copy(CopyOperation { from, .. }) => {
            let Some(source) = document.pointer(from.as_str()) else {
                return Ok(());
            };
            let extent = Extent::of(source);
            (extent, extent.bytes)
        }
    };
    if path.count() + extent.depth > shape::DEEPEST {
        return Err(shape::too_deep().into());
    }
    *room = room.checked_sub(taken).ok_or(ResourceError::TooLarge {
        limit: LARGEST_DOCUMENT,
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn stored() -> Value {
        json!({"userAction": {"name": "Ban", "options": [{"name": "A"}], "localizedNames": {"de": "Bann"}}})
    }

    fn code(error: ResourceError) -> Value {
        let ResourceError::Invalid(errors) = error else {
            panic!("another error: {error:?}");
        };
        errors.to_json()["generalErrors"][0]["code"].clone()
    }

    #[test]
    fn plain_json_appends_merges_and_removes() {
        let patch = json!({"userAction": {
            "name": null,
            "options": [{"name": "B"}],
            "localizedNames": {"fr": "Ban", "it": null},
            "temporal": true,
        }});
        assert_eq!(
            PatchKind::Merge.apply(stored(), patch).unwrap(),
            json!({"userAction": {
                "options": [{"name": "A"}, {"name": "B"}],
                "localizedNames": {"de": "Bann", "fr": "Ban"},
                "temporal": true,
            }})
        );
    }

    #[test]
    fn a_merge_patch_replaces_arrays() {
        let patch =
            json!({"userAction": {"options": [{"name": "B"}], "localizedNames": {"de": null}}});
        assert_eq!(
            PatchKind::MergePatch.apply(stored(), patch).unwrap(),
            json!({"userAction": {"name": "Ban", "options": [{"name": "B"}], "localizedNames": {}}})
        );
    }

    #[test]
    fn a_json_patch_starts_at_the_wrapper() {
        let patch = json!([
            {"op": "test", "path": "/userAction/name", "value": "Ban"},
            {"op": "replace", "path": "/userAction/name", "value": "Suspend"},
            {"op": "add", "path": "/userAction/options/-", "value": {"name": "B", "rank": 1.5e300}},
            {"op": "remove", "path": "/userAction/localizedNames"},
        ]);
        let patched = PatchKind::JsonPatch.apply(stored(), patch).unwrap();
        assert_eq!(patched["userAction"]["name"], "Suspend");
        assert_eq!(patched["userAction"]["options"][1]["name"], "B");
        assert!(patched["userAction"]["options"][1]["rank"].is_number());
        assert!(patched["userAction"].get("localizedNames").is_none());
    }

    #[test]
    fn a_failed_test_has_a_code_of_its_own() {
        let patch = json!([{"op": "test", "path": "/userAction/name", "value": "Other"}]);
        assert_eq!(
            code(PatchKind::JsonPatch.apply(stored(), patch).unwrap_err()),
            "[JSONPatchTestFailed]"
        );
    }

    #[test]
    fn an_operation_without_a_target_is_refused() {
        let nowhere = json!([{"op": "replace", "path": "/userAction/nothing", "value": 1}]);
        assert_eq!(
            code(PatchKind::JsonPatch.apply(stored(), nowhere).unwrap_err()),
            "[invalidJSON]"
        );
        let no_list = json!({"op": "replace"});
        assert_eq!(
            code(PatchKind::JsonPatch.apply(stored(), no_list).unwrap_err()),
            "[invalidJSON]"
        );
    }

    #[test]
    fn copies_of_copies_end_before_they_fill_the_memory() {
        let mut operations = vec![json!({"op": "add", "path": "/a", "value": "x".repeat(1024)})];
        for _ in 0..30 {
            operations.push(json!({"op": "copy", "from": "", "path": "/a"}));
            operations.push(json!({"op": "copy", "from": "", "path": "/b"}));
        }
        let refused = PatchKind::JsonPatch
            .apply(json!({}), Value::Array(operations))
            .unwrap_err();
        assert!(
            matches!(refused, ResourceError::TooLarge { .. }),
            "{refused:?}"
        );
    }

    #[test]
    fn media_types_are_told_apart() {
        assert_eq!(
            PatchKind::of_media_type("application/JSON"),
            Some(PatchKind::Merge)
        );
        assert_eq!(
            PatchKind::of_media_type("application/merge-patch+json"),
            Some(PatchKind::MergePatch)
        );
        assert_eq!(
            PatchKind::of_media_type("application/json-patch+json"),
            Some(PatchKind::JsonPatch)
        );
        assert_eq!(PatchKind::of_media_type("text/json"), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                members(inner),
            ]
        })
    }

    fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
        let members = prop::collection::btree_map("[a-d]", value, 0..4);
        members.prop_map(|members| members.into_iter().collect())
    }

    /// No member of it is null, however deep; elements of arrays are left alone.
    fn has_no_null_member(value: &Value) -> bool {
        value.as_object().is_none_or(|members| {
            let mut values = members.values();
            values.all(|value| !value.is_null() && has_no_null_member(value))
        })
    }

    proptest! {
        #[test]
        fn a_merge_leaves_alone_what_it_does_not_name(
            document in members(any_json()),
            patch in members(any_json()),
        ) {
            let merged = PatchKind::Merge.apply(document.clone(), patch.clone()).unwrap();
            for (name, stored) in document.as_object().unwrap() {
                match (patch.get(name), stored) {
                    (None, _) => prop_assert_eq!(&merged[name], stored),
                    (Some(Value::Null), _) => prop_assert!(merged.get(name).is_none()),
                    (Some(Value::Array(added)), Value::Array(stored)) => {
                        let all: Vec<Value> = stored.iter().chain(added).cloned().collect();
                        prop_assert_eq!(&merged[name], &Value::from(all));
                    }
                    (Some(_), _) => prop_assert!(merged.get(name).is_some()),
                }
            }
        }

        #[test]
        fn what_a_merge_makes_anew_has_no_null_members(patch in members(any_json())) {
            let made = PatchKind::Merge.apply(json!({}), patch).unwrap();
            prop_assert!(has_no_null_member(&made), "{made}");
        }

        #[test]
        fn a_merge_patch_may_be_applied_twice(
            document in members(any_json()),
            patch in members(any_json()),
        ) {
            let once = PatchKind::MergePatch.apply(document, patch.clone()).unwrap();
            let twice = PatchKind::MergePatch.apply(once.clone(), patch).unwrap();
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn what_a_json_patch_adds_it_can_test_and_remove(
            document in members(any_json()),
            value in any_json(),
        ) {
            let patch = json!([
                {"op": "add", "path": "/new", "value": value},
                {"op": "test", "path": "/new", "value": value},
                {"op": "remove", "path": "/new"},
            ]);
            let patched = PatchKind::JsonPatch.apply(document.clone(), patch).unwrap();
            prop_assert_eq!(patched, document);
        }
    }
}
