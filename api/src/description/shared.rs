//! What all endpoints have in common, in the words of the OpenAPI document.

use serde_json::{Value, json};

use beadle_common::resources::field::{Field, Kind, Object, given, optional, required};

/// Where schemas stand in the document.
pub(super) const SCHEMAS: &str = "#/components/schemas/";

pub(super) const ABOUT: &str = "\
JSON in, JSON out. Members that nobody knows are ignored in requests, and receivers of answers \
should do the same. A member without a value is left out of an answer; in a request, null is the \
same as leaving it out, except in a PATCH, where it removes.

**Keys.** The API key goes into the header `Authorization` as it is, without a word before it. A \
key may be limited to endpoints and methods, and to a tenant.

**Tenants.** Where there are several, `X-FusionAuth-TenantId` says which one a request is about. \
What is addressed by its Id needs no such header; with it, what belongs to another tenant does \
not exist.

**Instants** are milliseconds since 1970 in UTC. In requests they may be texts, too. The largest \
one, 9223372036854775807, means never; whatever is larger is taken for it.

**Repeating.** A POST with an `Idempotency-Key` happens once: the same again within a day gets \
the first answer, and nothing else happens. Searches, previews and logins ignore the key.

**Mistakes** are reported all at once, by the path of the member. Programs may rely on their \
codes, `[prefix]path` or `[Prefix]`; messages are for people.";

/// The one criterion whose description differs from search to search.
pub(super) const ORDER: &str = "orderBy";

/// Criteria of every search.
pub(super) const PAGING: [Field; 3] = [
    given(
        "numberOfResults",
        Kind::Integer(0, i64::MAX),
        "Results at most: 25 if it is not said, never more than 1000.",
    ),
    given(
        "startRow",
        Kind::Integer(0, i64::MAX),
        "How many results to leave out first.",
    ),
    given(ORDER, Kind::Text, ""),
];

/// What is wrong with one member, or with the request.
const ERROR: Object = Object::new(
    "Error",
    "One mistake.",
    &[
        required(
            "code",
            Kind::Text,
            "`[prefix]path` or `[Prefix]`: for programs.",
        ),
        required("message", Kind::Text, "For people."),
    ],
);

/// The body of every 400, and of some others.
pub(crate) const ERRORS: Object = Object::new(
    "Errors",
    "All that is wrong with a request.",
    &[
        required(
            "fieldErrors",
            Kind::Map(&Kind::List(&Kind::Object(&ERROR))),
            "Mistakes by the path of the member or the name of the parameter.",
        ),
        required(
            "generalErrors",
            Kind::List(&Kind::Object(&ERROR)),
            "What is wrong with the request as a whole.",
        ),
    ],
);

/// RFC 6902.
const PATCH_OPERATION: Object = Object::wrapper(&[
    required(
        "op",
        Kind::Word(&["add", "remove", "replace", "move", "copy", "test"]),
        "",
    ),
    required(
        "path",
        Kind::Text,
        "Starts with the wrapper: `/userAction/name`.",
    ),
    optional("from", Kind::Text, "Where to move or copy from."),
    optional("value", Kind::Any, ""),
]);

pub(super) fn json_patch() -> Kind {
    Kind::List(&Kind::Object(&PATCH_OPERATION))
}

pub(super) fn errors_content() -> Value {
    json!({"application/json": {"schema": {"$ref": format!("{SCHEMAS}{}", ERRORS.name)}}})
}

/// The components beside the schemas.
pub(super) fn shared() -> Value {
    let errors = |about: &str| json!({"description": about, "content": errors_content()});
    let empty = |about: &str| json!({"description": about});
    json!({
        "securitySchemes": {
            "key": {
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "An API key whose permissions name the endpoint and the method.",
            },
            "managerKey": {
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "An API key with `keyManager`: made at the first start, by `BEADLE_API_KEY`, or by `beadle-api create-api-key`.",
            },
        },
        "parameters": parameters(),
        "responses": {
            "BadRequest": errors("Something is wrong with the request: everything that is."),
            "Unauthorized": empty("No key, or one that may not do this."),
            "Conflict": errors("Another change came in between: `[retryableConflict]`. The same again may succeed."),
            "TooLarge": errors("The body is larger than the server takes: `[RequestTooLarge]`."),
            "IdempotencyKeyReused": errors("The `Idempotency-Key` came with another request before: `[IdempotencyKeyReused]`."),
            "InternalError": empty("A fault of the server, which its log tells more about."),
            "Unavailable": {
                "description": "The database cannot be used right now, `[DatabaseUnavailable]`, or too many passwords wait to be hashed, `[TooBusy]`.",
                "headers": {"Retry-After": {
                    "description": "Seconds until it is worth another try.",
                    "schema": {"type": "integer"},
                }},
                "content": errors_content(),
            },
        },
    })
}

fn parameters() -> Value {
    json!({
        "TenantId": {
            "name": "X-FusionAuth-TenantId", "in": "header",
            "description": "The tenant that the request is limited to.",
            "schema": {"type": "string", "format": "uuid"},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header",
            "description": "Any text that is new for each request. The same request with the same one gets the first answer again, marked with `Idempotent-Replayed: true`.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    })
}
