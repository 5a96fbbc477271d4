//! Custom headers of a webhook, and which are not the customer's to set.

use std::collections::BTreeMap;

use http::header::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::id::WebhookId;
use crate::model::webhook::Webhook;
use crate::resources::error::ResourceError;
use crate::resources::field::Field;
use crate::resources::input::Object;
use crate::resources::member_type::MemberType;
use crate::resources::problem::Prefix;
use crate::seal::Sealer;
use crate::view::Members;

/// Headers that frame the message, or steer the connection instead of informing the
/// receiver.
const RESERVED: [&str; 13] = [
    "connection",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-fusionauth-signature-jwt",
];

const RESERVED_PREFIXES: [&str; 2] = ["content-", "webhook-"];

/// Names to trimmed values. They often carry tokens, and are stored sealed.
#[derive(Debug, Default)]
pub(super) struct Headers(BTreeMap<String, String>);

impl MemberType for Headers {
    /// Nulls are dropped.
    fn read(object: &Object<'_>, field: &Field) -> Self {
        let mut headers = BTreeMap::new();
        if let Some(given) = object.object(field.name) {
            for (name, value) in given.members() {
                match as_text(value) {
                    Some(text) => drop(headers.insert(name.trim().to_owned(), text)),
                    None if value.is_null() => {}
                    None => object.refuse(Prefix::InvalidJson, field.name),
                }
            }
        }
        Self(headers)
    }

    fn show(&self, field: &Field, members: Members) -> Members {
        members.with(field.name, &self.0)
    }
}

impl Headers {
    /// Reports those that are not the customer's to set. `has_basic` says that `Authorization`
    /// is taken.
    pub(super) fn check(&self, webhook: &Object<'_>, has_basic: bool) {
        let path = webhook.path("headers");
        for (name, value) in &self.0 {
            if let Some(reason) = refusal(name, value, has_basic) {
                let errors = webhook.errors();
                errors.refuse_because(Prefix::Invalid, &path, reason);
            }
        }
    }

    pub(super) fn open(sealer: &Sealer, webhook: &Webhook) -> Result<Self, ResourceError> {
        let text = sealer
            .open(Webhook::headers_place(webhook.id), &webhook.headers)
            .map_err(ResourceError::internal)?;
        let headers = serde_json::from_slice(&text).map_err(ResourceError::internal)?;
        Ok(Self(headers))
    }

    pub(super) fn seal(&self, sealer: &Sealer, id: WebhookId) -> Result<Vec<u8>, ResourceError> {
        let text = serde_json::to_vec(&self.0).map_err(ResourceError::internal)?;
        sealer
            .seal(Webhook::headers_place(id), &text)
            .map_err(ResourceError::internal)
    }
}

/// Numbers and flags are what people write for texts.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn refusal(name: &str, value: &str, has_basic: bool) -> Option<String> {
    let Ok(parsed) = HeaderName::try_from(name) else {
        return Some(format!("`{}` is no name of a header", name.escape_debug()));
    };
    let lower = parsed.as_str();
    let reserved = RESERVED.contains(&lower)
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| lower.starts_with(prefix));
    if reserved || (has_basic && lower == "authorization") {
        return Some(format!(
            "the header `{lower}` is set by the server, leave it out"
        ));
    }
    HeaderValue::try_from(value)
        .is_err()
        .then(|| format!("the value of the header `{lower}` has characters that cannot be sent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_are_the_servers_are_refused() {
        for name in [
            "Host",
            "content-type",
            "Webhook-Id",
            "Transfer-Encoding",
            "a b",
            "",
            "X:",
            "ä",
        ] {
            assert!(refusal(name, "1", false).is_some(), "{name}");
        }
        assert!(refusal("Authorization", "Bearer 1", false).is_none());
        assert!(refusal("Authorization", "Bearer 1", true).is_some());
        assert!(refusal("X-A", "a\r\nX-B: b", false).is_some());
    }
}
