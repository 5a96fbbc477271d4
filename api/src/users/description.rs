//! What `/api/user` takes and gives.

use super::registration::REGISTRATION;
use crate::description::{
    Answer, At, EVENT_INFO, HARD_DELETE, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND,
    Object, Operation, REACTIVATE, Search, TOTAL, defaulted, given, optional, required, shown,
    shown_maybe, text,
};
use crate::input::LONGEST_NAME;

const NAME: Kind = Kind::ShortText(LONGEST_NAME);
const EMPTY: Kind = Kind::List(&Kind::Any);

const TWO_FACTOR: Object = Object::wrapper(&[
    shown("methods", EMPTY, "Always empty."),
    shown("recoveryCodes", EMPTY, "Always empty."),
]);

/// A user.
pub(crate) const USER: Object = Object::new(
    "User",
    "Somebody who can be acted upon, and who can act. Either `email` or `username` is required.",
    &[
        shown("active", Kind::Flag, "Whether the user may log in."),
        optional("birthDate", Kind::Date, ""),
        defaulted("data", Kind::Data, "{}", "Anything."),
        optional(
            "email",
            Kind::Email,
            "In lower case; no other user of the tenant has it.",
        ),
        optional("expiry", Kind::Instant, "When the account ends."),
        optional("firstName", NAME, ""),
        optional("fullName", NAME, ""),
        shown("id", Kind::Id, "The user."),
        shown("identities", EMPTY, "Always empty."),
        optional("imageUrl", Kind::ShortText(2048), ""),
        INSERT_INSTANT,
        optional("lastName", NAME, ""),
        LAST_UPDATE_INSTANT,
        shown("memberships", EMPTY, "Always empty."),
        optional("middleName", NAME, ""),
        optional("mobilePhone", NAME, ""),
        optional("parentEmail", Kind::Email, ""),
        given(
            "password",
            Kind::ShortText(256),
            "At least 8 characters. Required for a new user, unless `sendSetPasswordEmail` is set.",
        ),
        shown("passwordChangeRequired", Kind::Flag, "Always false."),
        shown_maybe(
            "passwordLastUpdateInstant",
            Kind::Instant,
            "When the password was set.",
        ),
        defaulted(
            "preferredLanguages",
            Kind::List(&Kind::Locale),
            "[]",
            "What the user reads, the best first: at most 20.",
        ),
        shown(
            "registrations",
            Kind::List(&Kind::Object(&REGISTRATION)),
            "The applications that the user is registered for.",
        ),
        shown("tenantId", Kind::Id, "Whose user it is."),
        optional(
            "timezone",
            Kind::Text,
            "By its IANA name, such as `Europe/Berlin`, or a fixed offset such as `UTC+2`.",
        ),
        shown(
            "twoFactor",
            Kind::Object(&TWO_FACTOR),
            "Always without content.",
        ),
        optional(
            "username",
            NAME,
            "No other user of the tenant has it, whatever its case.",
        ),
        shown(
            "usernameStatus",
            Kind::Word(&["ACTIVE"]),
            "Always the same.",
        ),
        shown("verified", Kind::Flag, "Always true."),
    ],
);

const ONE: Object = Object::wrapper(&[
    required("user", Kind::Object(&USER), "The user."),
    given(
        "eventInfo",
        Kind::Object(&EVENT_INFO),
        "Who is behind the request, for the event of a lock that a new password lifts.",
    ),
    given(
        "sendSetPasswordEmail",
        Kind::Flag,
        "Lets a new user be without a password. No mail is sent.",
    ),
    given(
        "skipVerification",
        Kind::Flag,
        "Accepted; nothing is ever verified.",
    ),
]);

const FOUND: Object = Object::wrapper(&[
    TOTAL,
    shown("users", Kind::List(&Kind::Object(&USER)), "A page of them."),
]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createUser",
    "Create a user",
    &[Answer::ok("The user.", &ONE)],
)
.body(&ONE)];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveUserByName",
        "Look a user up by a name",
        &[Answer::ok("The user.", &ONE), NOT_FOUND],
    )
    .about("One of the parameters is required, and the tenant where there are several.")
    .at(At::NoId)
    .query(&[
        given("email", Kind::Text, "The user's email address."),
        given("username", Kind::Text, "The user's name."),
        given("loginId", Kind::Text, "Either."),
    ]),
    Operation::new(
        "retrieveUser",
        "Retrieve a user",
        &[Answer::ok("The user.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateUser",
    "Replace or reactivate a user",
    &[Answer::ok("The user.", &ONE), NOT_FOUND],
)
.about("Without a password, the user keeps the one there is.")
.at(At::Id)
.query(&[REACTIVATE])
.maybe_body(&ONE)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchUser",
    "Change parts of a user",
    &[Answer::ok("The user.", &ONE), NOT_FOUND],
)
.at(At::Id)
.patch(&ONE)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteUser",
    "Deactivate or delete a user",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.at(At::Id)
.query(&[HARD_DELETE])];

const SORT_FIELD: Object = Object::wrapper(&[
    given("missing", Kind::Text, "Not looked at."),
    given(
        "name",
        Kind::Text,
        "A field that `orderBy` knows; others are passed over.",
    ),
    given("order", Kind::Text, "`asc` or `desc`."),
]);

pub(super) const SEARCH: &[Operation] = &[Operation::new(
    "searchUsers",
    "Search the users",
    &[Answer::ok("A page of users.", &FOUND)],
)
.search(&Search {
    criteria: &[
        given("ids", Kind::List(&Kind::Id), "These users."),
        text("queryString"),
        given(
            "sortFields",
            Kind::List(&Kind::Object(&SORT_FIELD)),
            "As for a search engine, instead of `orderBy`. Only in a body.",
        ),
    ],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
})];
