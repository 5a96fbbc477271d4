//! What a webhook has: each member once.

use secrecy::ExposeSecret;

use super::WebhookResource;
use super::check::{read_events, read_url};
use super::secrets::read_secret;
use crate::model::webhook::origin_of;
use crate::resources::field::{
    INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, Object, defaulted, optional, required, shown,
    shown_maybe,
};
use crate::resources::input::LONGEST_NAME;
use crate::resources::member::{Member, fields, member, schema};

const MILLIS: Kind = Kind::Integer(1, 2_147_483_647);
const LONGEST_CERTIFICATE: usize = 65_535;

/// A webhook in requests and answers.
pub const WEBHOOK: Object = schema!("Webhook", "An address that events are sent to.", MEMBERS);

const SIGNATURE: &[Member<WebhookResource>] = &[
    member!(
        row.signature_enabled,
        defaulted(
            "enabled",
            Kind::Flag,
            "false",
            "Whether requests carry `X-FusionAuth-Signature-JWT` too.",
        )
    ),
    member!(
        row.signing_key_id,
        optional(
            "signingKeyId",
            Kind::Id,
            "The key to sign with: one of all tenants, or of the only one that the webhook serves.",
        )
    ),
];

pub(super) const MEMBERS: &[Member<WebhookResource>] = &[
    member!(
        row.connect_timeout,
        required(
            "connectTimeout",
            MILLIS,
            "Milliseconds to wait for a connection."
        )
    ),
    member!(
        row.contact_email,
        optional(
            "contactEmail",
            Kind::Email,
            "Who is told when it is disabled. A PUT without it keeps it, and null removes it.",
        )
    ),
    member!(row.data, defaulted("data", Kind::Data, "{}", "Anything.")),
    member!(
        row.description,
        optional("description", Kind::ShortText(1024), "For people.")
    ),
    Member::derived(
        shown_maybe(
            "disabledInstant",
            Kind::Instant,
            "Since when nothing is sent to it.",
        ),
        |webhook, field, members| {
            let disabled = webhook.destination.disabled();
            members.maybe(field.name, disabled.map(|(instant, _)| instant))
        },
    ),
    Member::derived(
        shown_maybe(
            "disabledReason",
            Kind::Word(&["gone", "failing"]),
            "Why: it answered 410, or did nothing but fail for too long.",
        ),
        |webhook, field, members| {
            let disabled = webhook.destination.disabled();
            members.maybe(field.name, disabled.map(|(_, reason)| reason))
        },
    ),
    Member::new(
        defaulted(
            "eventsEnabled",
            Kind::Map(&Kind::Flag),
            "{}",
            "By the type of event; `user.action` is the one that is sent.",
        ),
        |object, _, webhook: &mut WebhookResource| webhook.row.events_enabled = read_events(object),
        |webhook, field, members| members.with(field.name, &webhook.row.events_enabled.0),
    ),
    member!(
        row.global,
        defaulted(
            "global",
            Kind::Flag,
            "false",
            "Whether it serves all tenants."
        )
    ),
    member!(
        headers,
        defaulted(
            "headers",
            Kind::Map(&Kind::Text),
            "{}",
            "Added to each request. Those that frame the message are not to be set.",
        )
        .secret()
    ),
    member!(
        password,
        optional(
            "httpAuthenticationPassword",
            Kind::ShortText(1024),
            "For basic authentication.",
        )
        .secret()
    ),
    member!(
        row.http_authentication_username,
        optional(
            "httpAuthenticationUsername",
            Kind::ShortText(LONGEST_NAME),
            "For basic authentication.",
        )
    ),
    member!(row.id, shown("id", Kind::Id, "The webhook.")),
    member!(row.insert_instant, INSERT_INSTANT),
    member!(row.last_update_instant, LAST_UPDATE_INSTANT),
    member!(
        row.ordered_by,
        optional(
            "orderedBy",
            Kind::Word(&["user"]),
            "What belongs to the same one of these is sent in its order, one after the other. A PUT without it keeps it, and null removes it.",
        )
    ),
    member!(
        row.rate_limit,
        optional(
            "rateLimit",
            MILLIS,
            "Requests a second at most, over all workers. A PUT without it keeps it, and null removes it.",
        )
    ),
    member!(
        row.read_timeout,
        required("readTimeout", MILLIS, "Milliseconds to wait for an answer.")
    ),
    member!(
        [SIGNATURE],
        defaulted(
            "signatureConfiguration",
            Kind::Object(&Object::wrapper(fields!(SIGNATURE))),
            "{\"enabled\": false}",
            "A signature beside those of Standard Webhooks, which are always there.",
        )
    ),
    Member::new(
        optional(
            "signingSecret",
            Kind::Text,
            "`whsec_` and base64: made if it is not given. Read and shown at the creation alone.",
        )
        .at_creation()
        .secret(),
        |object, field, webhook| webhook.signing_secret = read_secret(object, field.name),
        |webhook: &WebhookResource, field, members| {
            let secret = webhook
                .signing_secret
                .as_ref()
                .map(|secret| secret.to_text());
            members.maybe(field.name, secret.as_ref().map(ExposeSecret::expose_secret))
        },
    ),
    member!(
        row.ssl_certificate,
        optional(
            "sslCertificate",
            Kind::LongText(LONGEST_CERTIFICATE),
            "In PEM."
        )
    ),
    member!(
        row.ssl_certificate_key_id,
        optional(
            "sslCertificateKeyId",
            Kind::Id,
            "A key of `/api/key`, like `signingKeyId`. Not acted upon.",
        )
    ),
    Member::derived(
        shown(
            "state",
            Kind::Word(&["Active", "Disabled"]),
            "Whether anything is sent to it.",
        ),
        |webhook, field, members| {
            let is_disabled = webhook.destination.disabled().is_some();
            members.with(field.name, if is_disabled { "Disabled" } else { "Active" })
        },
    ),
    member!(
        tenants,
        defaulted(
            "tenantIds",
            Kind::List(&Kind::Id),
            "[]",
            "The tenants that it serves, unless it serves all.",
        )
    ),
    // Of many receivers the path is a secret.
    Member::new(
        required(
            "url",
            Kind::Uri,
            "`http` or `https`, at most 2048 characters.",
        ),
        read_url,
        |webhook, field, members| members.with(field.name, &webhook.row.url),
    )
    .audited_as(|webhook, field, members| members.with(field.name, origin_of(&webhook.row.url))),
];
