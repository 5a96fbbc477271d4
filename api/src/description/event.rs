//! The `user.action` event as its receivers get it: in the OpenAPI document, and as a JSON
//! Schema of its own.

use serde_json::{Value, json};

use super::schema::{Schemas, Side, set, text};
use beadle_common::model::user_action::Phase;
use beadle_common::resources::field::{Kind, Object, optional, required, shown, shown_maybe};
use beadle_common::view::UserActionEvent;

/// Somebody with a mailbox.
pub(crate) const MAILBOX: Object = Object::new(
    "Mailbox",
    "Somebody with a mailbox.",
    &[
        required("address", Kind::Email, "`name@host`"),
        optional("display", Kind::ShortText(255), "The name to show."),
    ],
);

const MAILBOXES: Kind = Kind::List(&Kind::Object(&MAILBOX));

/// A rendered email.
const EMAIL: Object = Object::new(
    "Email",
    "An email as it is sent.",
    &[
        shown("attachments", Kind::List(&Kind::Any), "Always empty."),
        shown("bcc", MAILBOXES, "Blind copies."),
        shown("cc", MAILBOXES, "Copies."),
        shown("from", Kind::Object(&MAILBOX), "The sender."),
        shown("html", Kind::Text, "The part for programs that show HTML."),
        shown_maybe("replyTo", Kind::Object(&MAILBOX), "Where answers go."),
        shown("subject", Kind::Text, "The subject."),
        shown("text", Kind::Text, "The part for all other programs."),
        shown("to", MAILBOXES, "The recipients."),
    ],
);

const LOCATION: Object = Object::new(
    "Location",
    "A place on earth.",
    &[
        optional("city", Kind::Text, ""),
        optional("country", Kind::Text, ""),
        optional("latitude", Kind::Number, ""),
        optional("longitude", Kind::Number, ""),
        optional("region", Kind::Text, ""),
        optional("zipcode", Kind::Text, ""),
    ],
)
.open();

/// Who called, and from where.
pub(crate) const EVENT_INFO: Object = Object::new(
    "EventInfo",
    "Who called, and from where: what a request says of somebody behind it, beside what the server sees.",
    &[
        optional("data", Kind::Data, "Anything else."),
        optional("deviceDescription", Kind::Text, ""),
        optional("deviceName", Kind::Text, ""),
        optional("deviceType", Kind::Text, ""),
        optional(
            "ipAddress",
            Kind::Text,
            "Of the caller, if nothing else is said.",
        ),
        optional("location", Kind::Object(&LOCATION), ""),
        optional("os", Kind::Text, ""),
        optional("userAgent", Kind::Text, ""),
    ],
);

/// The event.
pub(crate) const EVENT: Object = Object::new(
    "UserActionEvent",
    "Something was done to a user, or came to its end. The phase says which.",
    &[
        shown("action", Kind::Text, "Name of the definition."),
        shown("actionId", Kind::Id, "The action, not its definition."),
        shown("actioneeUserId", Kind::Id, "Who is acted upon."),
        shown_maybe(
            "actionerUserId",
            Kind::Id,
            "Who acts; absent if it was the server.",
        ),
        shown(
            "applicationIds",
            Kind::List(&Kind::Id),
            "The applications that the action is limited to; empty: not limited.",
        ),
        shown_maybe("comment", Kind::Text, "What the actioner says of it."),
        shown("createInstant", Kind::Instant, "When the event was made."),
        shown_maybe(
            "email",
            Kind::Object(&EMAIL),
            "The rendered email of this phase, if the definition has `includeEmailInEventJSON`.",
        ),
        shown(
            "emailedUser",
            Kind::Flag,
            "Whether Beadle sends that email.",
        ),
        shown_maybe("expiry", Kind::Instant, "When it ends: temporal actions."),
        shown(
            "id",
            Kind::Id,
            "The event. The same in every attempt, so that a repetition can be told.",
        ),
        shown(
            "info",
            Kind::Object(&EVENT_INFO),
            "Who called, and from where. Empty at the end.",
        ),
        shown_maybe(
            "lastUpdateInstant",
            Kind::Instant,
            "When the action changed; not at its start.",
        ),
        shown("linkedObjectId", Kind::Id, "Who is acted upon."),
        shown(
            "localizedAction",
            Kind::Text,
            "The name in the user's language.",
        ),
        shown_maybe(
            "localizedDuration",
            Kind::Text,
            "How long until the expiry, in the user's language.",
        ),
        shown_maybe(
            "localizedOption",
            Kind::Text,
            "The option in the user's language.",
        ),
        shown_maybe(
            "localizedReason",
            Kind::Text,
            "The reason in the user's language.",
        ),
        shown(
            "notifyUser",
            Kind::Flag,
            "Asks the receiver to notify the user.",
        ),
        shown_maybe("option", Kind::Text, "The option that was chosen."),
        shown(
            "phase",
            Kind::Word(Phase::TEXTS),
            "Where in its life the action is.",
        ),
        shown_maybe("reason", Kind::Text, "The text of the reason."),
        shown_maybe("reasonCode", Kind::Text, "The code of the reason."),
        shown("tenantId", Kind::Id, "The user's tenant."),
        shown(
            "type",
            Kind::Word(&[UserActionEvent::TYPE]),
            "The kind of event.",
        ),
    ],
);

/// The body of a webhook.
const BODY: Object = Object::wrapper(&[shown("event", Kind::Object(&EVENT), "The event.")]);

/// The JSON Schema of the body, complete in itself.
pub(super) fn schema() -> Value {
    let mut schemas = Schemas::new("#/$defs/");
    let mut schema = schemas.object(&BODY, Side::Shown);
    for (member, value) in [
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title", json!(UserActionEvent::TYPE)),
        (
            "description",
            json!("What a webhook gets, as its body. Further members may come in later versions."),
        ),
        ("$defs", schemas.into_json()),
    ] {
        set(&mut schema, member, Some(value));
    }
    schema
}

/// `webhooks` of the OpenAPI document.
pub(super) fn webhooks(schemas: &mut Schemas) -> Value {
    let body = schemas.object(&BODY, Side::Shown);
    let header = |name: &str, about: &str, required: bool| json!({"name": name, "in": "header", "required": required, "description": about, "schema": {"type": "string"}});
    let mut post = json!({
        "operationId": "userAction",
        "summary": "Something was done to a user",
        "security": [],
        "parameters": [
            header("webhook-id", "The Id of the event: the same in every attempt.", true),
            header("webhook-timestamp", "When this attempt was made, in seconds since 1970.", true),
            header("webhook-signature", "One signature for each secret that is valid now: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64.", true),
            header("X-FusionAuth-Signature-JWT", "A signed hash of the body, if the webhook's `signatureConfiguration` asks for it.", false),
        ],
        "requestBody": {"required": true, "content": {"application/json": {"schema": body}}},
        "responses": {
            "2XX": {"description": "Received. What the answer says is not read."},
            "default": {"description": "Not received: it is tried again, by the schedule of the server."},
        },
    });
    set(
        &mut post,
        "description",
        text(
            "Sent to every webhook that serves the user's tenant and has `user.action` enabled. The signatures are those of Standard Webhooks.",
        ),
    );
    json!({UserActionEvent::TYPE: {"post": post}})
}
