//! What `/api/key` takes and gives, and `/.well-known/jwks.json`.

use beadle_common::resources::signing_keys::{BROUGHT, KEY, NEW, RENAMED};
use beadle_common::sign::jws::Algorithm;

use crate::description::{
    Answer, At, Kind, NOT_FOUND, Object, Operation, must_give, shown, shown_maybe,
};

const ALGORITHM: Kind = Kind::Word(Algorithm::TEXTS);

const ONE: Object = Object::wrapper(&[shown("key", Kind::Object(&KEY), "The key.")]);

const ALL: Object = Object::wrapper(&[shown(
    "keys",
    Kind::List(&Kind::Object(&KEY)),
    "The keys by name.",
)]);

const GENERATION: Object =
    Object::wrapper(&[must_give("key", Kind::Object(&NEW), "The key to be made.")]);
const IMPORTING: Object = Object::wrapper(&[must_give(
    "key",
    Kind::Object(&BROUGHT),
    "The key that there is.",
)]);
const RENAMING: Object =
    Object::wrapper(&[must_give("key", Kind::Object(&RENAMED), "Its new name.")]);

const JWK: Object = Object::new(
    "JWK",
    "A public key, as RFC 7517 has it.",
    &[
        shown("alg", ALGORITHM, "What it verifies."),
        shown_maybe("crv", Kind::Text, "The curve: `EC`, `OKP`."),
        shown_maybe("e", Kind::Text, "The exponent: `RSA`."),
        shown("kid", Kind::Text, "What signatures call it."),
        shown(
            "kty",
            Kind::Word(&["EC", "OKP", "RSA"]),
            "The family of the algorithm.",
        ),
        shown_maybe("n", Kind::Text, "The modulus: `RSA`."),
        shown("use", Kind::Word(&["sig"]), "What it is for."),
        shown_maybe("x", Kind::Text, "The point: `EC`, `OKP`."),
        shown_maybe("y", Kind::Text, "The point: `EC`."),
    ],
);

const JWK_SET: Object = Object::wrapper(&[shown(
    "keys",
    Kind::List(&Kind::Object(&JWK)),
    "Every key that has a public part.",
)]);

pub(super) const GENERATE: &[Operation] =
    &[
        Operation::new("generateKey", "Make a key", &[Answer::ok("The key.", &ONE)])
            .body(&GENERATION),
    ];

pub(super) const IMPORT: &[Operation] =
    &[
        Operation::new("importKey", "Import a key", &[Answer::ok("The key.", &ONE)])
            .body(&IMPORTING),
    ];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveKeys",
        "List the keys",
        &[Answer::ok("The keys.", &ALL)],
    )
    .at(At::NoId),
    Operation::new(
        "retrieveKey",
        "Retrieve a key",
        &[Answer::ok("The key.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateKey",
    "Rename a key",
    &[Answer::ok("The key.", &ONE), NOT_FOUND],
)
.at(At::Id)
.body(&RENAMING)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteKey",
    "Delete a key",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.about("Refused with `[inUse]keyId` while a webhook or a tenant names it.")
.at(At::Id)];

pub(super) const JWKS: &[Operation] = &[Operation::new(
    "retrieveJsonWebKeySet",
    "The public keys, for receivers",
    &[Answer::ok("The keys.", &JWK_SET)],
)];
