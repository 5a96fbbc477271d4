//! Custom headers of a webhook, and which are not the customer's to set.

use std::collections::BTreeMap;

use actix_web::http::header::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::errors::Prefix;
use crate::input::Object;

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

/// `webhook.headers`: names to trimmed values. Nulls are dropped. `with_basic` says that
/// `Authorization` is taken.
pub(super) fn read_headers(webhook: &Object<'_>, with_basic: bool) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let Some(object) = webhook.object("headers") else {
        return headers;
    };
    for (name, value) in object
        .members()
        .iter()
        .filter(|(_, value)| !value.is_null())
    {
        let Some(text) = as_text(value) else {
            webhook.refuse(Prefix::InvalidJson, "headers");
            continue;
        };
        let name = name.trim().to_owned();
        if let Some(reason) = refusal(&name, &text, with_basic) {
            webhook
                .errors()
                .refuse_because(Prefix::Invalid, &webhook.path("headers"), reason);
        }
        headers.insert(name, text);
    }
    headers
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

fn refusal(name: &str, value: &str, with_basic: bool) -> Option<String> {
    let Ok(parsed) = HeaderName::try_from(name) else {
        return Some(format!("`{}` is no name of a header", name.escape_debug()));
    };
    let lower = parsed.as_str();
    let reserved = RESERVED.contains(&lower)
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| lower.starts_with(prefix));
    if reserved || (with_basic && lower == "authorization") {
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
