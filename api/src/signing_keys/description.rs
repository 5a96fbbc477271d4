//! What `/api/key` takes and gives, and `/.well-known/jwks.json`.

use beadle_common::sign::jws::Algorithm;

use crate::description::{
    Answer, At, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND, Object, Operation, given,
    must_give, shown, shown_maybe,
};
use crate::input::LONGEST_NAME;

const NAME: Kind = Kind::ShortText(LONGEST_NAME);
const WHOSE: &str = "The only tenant whose webhooks and mail it may sign; absent: those of all.";
const ALGORITHM: Kind = Kind::Word(Algorithm::TEXTS);

const KEY: Object = Object::new(
    "Key",
    "A key that signs the bodies of webhooks, and mail. What signs is never shown.",
    &[
        shown("algorithm", ALGORITHM, "What it signs with."),
        shown(
            "hasPrivateKey",
            Kind::Flag,
            "Whether it can sign, or only be verified with.",
        ),
        shown("id", Kind::Id, "The key."),
        INSERT_INSTANT,
        shown("kid", NAME, "What signatures call it."),
        LAST_UPDATE_INSTANT,
        shown("length", Kind::Integer(0, i64::MAX), "In bits."),
        shown("name", NAME, "For people."),
        shown_maybe("publicKey", Kind::Text, "In PEM; a shared secret has none."),
        shown_maybe("tenantId", Kind::Id, WHOSE),
        shown(
            "type",
            Kind::Word(&["EC", "HMAC", "OKP", "RSA"]),
            "The family of the algorithm.",
        ),
    ],
);

const ONE: Object = Object::wrapper(&[shown("key", Kind::Object(&KEY), "The key.")]);

const ALL: Object = Object::wrapper(&[shown(
    "keys",
    Kind::List(&Kind::Object(&KEY)),
    "The keys by name.",
)]);

const NEW: Object = Object::new(
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

const BROUGHT: Object = Object::new(
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

const RENAMED: Object = Object::new(
    "RenameKey",
    "What may change about a key.",
    &[must_give(
        "name",
        NAME,
        "Unlike that of any other key, whatever its case.",
    )],
);

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
