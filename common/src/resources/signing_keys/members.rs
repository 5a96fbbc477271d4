//! What a signing key has. Its parts are given once, and only its name changes; so each request
//! has an object of its own.

use super::SigningKeyResource;
use crate::resources::field::{
    INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, Object, given, must_give, shown, shown_maybe,
};
use crate::resources::input::LONGEST_NAME;
use crate::resources::member::{Member, member, schema};
use crate::sign::jws::Algorithm;

const NAME: Kind = Kind::ShortText(LONGEST_NAME);
const WHOSE: &str = "The only tenant whose webhooks and mail it may sign; absent: those of all.";
const ALGORITHM: Kind = Kind::Word(Algorithm::TEXTS);

pub(super) const MEMBERS: &[Member<SigningKeyResource>] = &[
    Member::derived(
        shown("algorithm", ALGORITHM, "What it signs with."),
        |key, field, members| members.with(field.name, key.row.algorithm),
    ),
    Member::derived(
        shown(
            "hasPrivateKey",
            Kind::Flag,
            "Whether it can sign, or only be verified with.",
        ),
        |key, field, members| members.with(field.name, key.row.private_key.is_some()),
    ),
    member!(row.id, shown("id", Kind::Id, "The key.")),
    member!(row.insert_instant, INSERT_INSTANT),
    member!(row.kid, shown("kid", NAME, "What signatures call it.")),
    member!(row.last_update_instant, LAST_UPDATE_INSTANT),
    member!(
        row.length,
        shown("length", Kind::Integer(0, i64::MAX), "In bits.")
    ),
    member!(row.name, shown("name", NAME, "For people.")),
    member!(
        row.public_key,
        shown_maybe("publicKey", Kind::Text, "In PEM; a shared secret has none.")
    ),
    member!(row.tenant_id, shown_maybe("tenantId", Kind::Id, WHOSE)),
    Member::derived(
        shown(
            "type",
            Kind::Word(&["EC", "HMAC", "OKP", "RSA"]),
            "The family of the algorithm.",
        ),
        |key, field, members| members.with(field.name, key.row.algorithm.key_type().as_str()),
    ),
];

/// A key in answers.
pub const KEY: Object = schema!(
    "Key",
    "A key that signs the bodies of webhooks, and mail. What signs is never shown.",
    MEMBERS
);

/// A key to be made.
pub const NEW: Object = Object::new(
    "GenerateKey",
    "A key to be made.",
    &[
        must_give("algorithm", ALGORITHM, "What it signs with."),
        given(
            "kid",
            NAME,
            "What signatures call it; made if it is not given.",
        ),
        given(
            "length",
            Kind::Integer(256, 4096),
            "In bits: 2048, 3072 or 4096 for RSA, where it is 2048 if it is not said. The others have the one of their algorithm.",
        ),
        must_give(
            "name",
            NAME,
            "Unlike that of any other key, whatever its case.",
        ),
        given("tenantId", Kind::Id, WHOSE),
    ],
);

/// A key that there is.
pub const BROUGHT: Object = Object::new(
    "ImportKey",
    "A key that there is.",
    &[
        must_give("algorithm", ALGORITHM, "What it signs with."),
        given(
            "kid",
            NAME,
            "What signatures call it; made if it is not given.",
        ),
        must_give(
            "name",
            NAME,
            "Unlike that of any other key, whatever its case.",
        ),
        given("privateKey", Kind::Text, "In PEM: of a pair."),
        given(
            "publicKey",
            Kind::Text,
            "In PEM: alone, or that of the private key.",
        ),
        given("secret", Kind::Text, "Of an HMAC algorithm."),
        given("tenantId", Kind::Id, WHOSE),
    ],
);

/// What may change about a key.
pub const RENAMED: Object = Object::new(
    "RenameKey",
    "What may change about a key.",
    &[must_give(
        "name",
        NAME,
        "Unlike that of any other key, whatever its case.",
    )],
);
