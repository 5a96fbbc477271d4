//! What a tenant has.

use super::TenantResource;
use super::email_configuration::SECURITY;
use super::event_configuration::read_event_configuration;
use crate::db::Json;
use crate::model::lockout::DurationUnit;
use crate::model::user_action::TransactionType;
use crate::resources::field::{
    Field, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, Object, defaulted, given, optional, required,
    shown,
};
use crate::resources::input::LONGEST_NAME;
use crate::resources::member::{Member, member, schema};
use crate::view::{Absent, Members};

const NAME: Kind = Kind::ShortText(LONGEST_NAME);

const HEADER: Object = Object::wrapper(&[
    required("name", NAME, ""),
    required("value", Kind::Text, ""),
]);

const DKIM: Object = Object::wrapper(&[
    required("domain", NAME, "The domain that signs."),
    required(
        "keyId",
        Kind::Id,
        "A key of `/api/key` that signs mail (RSA, Ed25519): the tenant's own or one of all. An API key that is locked to the tenant names only its own.",
    ),
    required(
        "selector",
        NAME,
        "Where below the domain the public key is published.",
    ),
]);

const EMAIL: Object = Object::new(
    "EmailConfiguration",
    "How a tenant's mail is sent. Members that Beadle does not know are kept.",
    &[
        defaulted(
            "additionalHeaders",
            Kind::List(&Kind::Object(&HEADER)),
            "[]",
            "Added to each mail.",
        )
        .secret(),
        defaulted("debug", Kind::Flag, "false", "Kept, and not acted upon."),
        optional("defaultFromEmail", Kind::Email, "The sender, where a template names none."),
        optional("defaultFromName", NAME, "The sender's name, where a template names none."),
        optional(
            "dkim",
            Kind::Object(&DKIM),
            "What signs the mail. A PUT without it keeps it, and null removes it.",
        ),
        optional(
            "listUnsubscribe",
            Kind::Text,
            "A template of the address where readers may say that they want no more mail. A PUT without it keeps it, and null removes it.",
        ),
        optional("host", NAME, "The SMTP server; absent: the server's own way to send mail."),
        given("password", Kind::Text, "For the SMTP server. Whoever changes host, port, user or security gives it again; otherwise it stays where it is not named.").secret(),
        optional("port", Kind::Integer(1, 65_535), "25, where there is a host and it is not said."),
        optional(
            "rateLimit",
            Kind::Integer(1, 2_147_483_647),
            "Mails a second that the tenant's own server gets, from all workers together. A PUT without it keeps it, and null removes it.",
        ),
        optional(
            "security",
            Kind::Word(&SECURITY),
            "`SSL`: TLS from the first byte; `TLS`: STARTTLS, or nothing is sent. `NONE` where there is a host and it is not said.",
        ),
        optional("username", NAME, "For the SMTP server; absent: nobody logs in there."),
    ],
)
.open();

const EVENT: Object = Object::new(
    "EventSetting",
    "What a tenant wants of a kind of event.",
    &[
        defaulted(
            "enabled",
            Kind::Flag,
            "false",
            "Whether it is raised at all.",
        ),
        defaulted(
            "transactionType",
            Kind::Word(TransactionType::TEXTS),
            "None",
            "How many webhooks have to agree before it happens.",
        ),
    ],
);

const EVENTS: Object = Object::new(
    "EventConfiguration",
    "Which events a tenant raises.",
    &[defaulted(
        "events",
        Kind::Map(&Kind::Object(&EVENT)),
        "{}",
        "By the type of event; `user.action` is the one that there is.",
    )],
);

const CANCEL_POLICY: Object = Object::wrapper(&[defaulted(
    "onPasswordReset",
    Kind::Flag,
    "false",
    "Whether a new password lifts the lock.",
)]);

const LOCKOUT: Object = Object::new(
    "FailedAuthenticationConfiguration",
    "What too many wrong passwords lead to.",
    &[
        defaulted(
            "actionCancelPolicy",
            Kind::Object(&CANCEL_POLICY),
            "{}",
            "When the lock is lifted early.",
        ),
        defaulted(
            "actionDuration",
            Kind::Integer(1, 2_147_483_647),
            "3",
            "How long the lock lasts.",
        ),
        defaulted(
            "actionDurationUnit",
            Kind::Word(DurationUnit::TEXTS),
            "MINUTES",
            "What that is counted in.",
        ),
        defaulted(
            "emailUser",
            Kind::Flag,
            "false",
            "Whether to email the user.",
        ),
        defaulted(
            "resetCountInSeconds",
            Kind::Integer(1, 2_147_483_647),
            "60",
            "How long an attempt counts.",
        ),
        defaulted(
            "tooManyAttempts",
            Kind::Integer(1, 1000),
            "5",
            "How many are too many.",
        ),
        optional(
            "userActionId",
            Kind::Id,
            "The definition that is applied; absent: nothing happens.",
        ),
    ],
);

pub(super) const MEMBERS: &[Member<TenantResource>] = &[
    Member::derived(
        shown("configured", Kind::Flag, "Always true."),
        |_, field, members| members.with(field.name, true),
    ),
    member!(row.data, defaulted("data", Kind::Data, "{}", "Anything.")),
    Member::new(
        defaulted(
            "emailConfiguration",
            Kind::Object(&EMAIL),
            "{}",
            "How its mail is sent.",
        ),
        |_, _, _| {},
        |tenant: &TenantResource, field, members| {
            members.with(field.name, &tenant.row.email_configuration.0)
        },
    )
    .audited_as(audited_email),
    Member::new(
        defaulted(
            "eventConfiguration",
            Kind::Object(&EVENTS),
            "{}",
            "Which events it raises.",
        ),
        |object, _, tenant: &mut TenantResource| {
            tenant.row.event_configuration = Json(read_event_configuration(object));
        },
        |tenant, field, members| members.with(field.name, &tenant.row.event_configuration.0),
    ),
    setting(optional(
        "failedAuthenticationConfiguration",
        Kind::Object(&LOCKOUT),
        "What too many wrong passwords lead to.",
    )),
    member!(row.id, shown("id", Kind::Id, "The tenant.")),
    member!(row.insert_instant, INSERT_INSTANT),
    setting(optional("issuer", Kind::Text, "Kept, and not acted upon.")),
    member!(row.last_update_instant, LAST_UPDATE_INSTANT),
    member!(
        row.name,
        required(
            "name",
            NAME,
            "Unlike that of any other tenant, whatever its case."
        )
    ),
    Member::derived(
        shown("state", Kind::Word(&["Active"]), "Always the same."),
        |_, field, members| members.with(field.name, "Active"),
    ),
];

/// A tenant in requests and answers.
pub const TENANT: Object = schema!(
    "Tenant",
    "A community of users with its own mail and its own events. Members that Beadle does not know are kept.",
    MEMBERS
)
.open();

/// One that stands among those that are kept as they come.
const fn setting(field: Field) -> Member<TenantResource> {
    Member::derived(field, |tenant, field, members| {
        members.maybe(field.name, tenant.row.settings.0.get(field.name))
    })
}

/// What Beadle knows of the configuration: members that it only keeps, and headers of mail, may
/// be secrets.
fn audited_email(tenant: &TenantResource, field: &Field, members: Members) -> Members {
    let known = EMAIL.fields.iter().filter(|known| !known.secret);
    let settings = &tenant.row.email_configuration.0;
    let open = known.fold(Members::new(Absent::Omit), |view, known| {
        view.maybe(known.name, settings.get(known.name))
    });
    members.with(field.name, open.done())
}
