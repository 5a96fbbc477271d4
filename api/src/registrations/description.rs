//! What `/api/user/registration` takes and gives.

use crate::description::{
    Answer, At, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND, Object, Operation, defaulted,
    given, must_give, optional, required, shown, shown_maybe,
};
use crate::input::LONGEST_NAME;
use crate::users::USER;

/// A registration.
pub(crate) const REGISTRATION: Object = Object::new(
    "UserRegistration",
    "That a user belongs to an application.",
    &[
        required("applicationId", Kind::Id, "The application."),
        defaulted("data", Kind::Data, "{}", "Anything."),
        shown("id", Kind::Id, "The registration."),
        INSERT_INSTANT,
        shown_maybe(
            "lastLoginInstant",
            Kind::Instant,
            "When the user logged in to it last.",
        ),
        LAST_UPDATE_INSTANT,
        defaulted(
            "preferredLanguages",
            Kind::List(&Kind::Locale),
            "[]",
            "What the user reads there: at most 20.",
        ),
        defaulted(
            "roles",
            Kind::List(&Kind::Text),
            "[]",
            "Roles of the application; absent: those that every user gets.",
        ),
        optional("timezone", Kind::Text, "By its IANA name."),
        shown("tokens", Kind::Data, "Always empty."),
        optional(
            "username",
            Kind::ShortText(LONGEST_NAME),
            "What the user is called there.",
        ),
        shown(
            "usernameStatus",
            Kind::Word(&["ACTIVE"]),
            "Always the same.",
        ),
        shown("verified", Kind::Flag, "Always true."),
    ],
);

const ONE: Object = Object::wrapper(&[required(
    "registration",
    Kind::Object(&REGISTRATION),
    "The registration.",
)]);

const REGISTERED: Object = Object::wrapper(&[
    required(
        "registration",
        Kind::Object(&REGISTRATION),
        "The registration.",
    ),
    shown("user", Kind::Object(&USER), "The user."),
]);

const REQUEST: Object = Object::wrapper(&[
    must_give(
        "registration",
        Kind::Object(&REGISTRATION),
        "The registration.",
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
    given(
        "user",
        Kind::Object(&USER),
        "A new user; without one, the Id in the path says which user it is.",
    ),
]);

const UPDATING: Object = Object::wrapper(&[must_give(
    "registration",
    Kind::Object(&REGISTRATION),
    "The registration.",
)]);

pub(super) const REGISTER: &[Operation] = &[Operation::new(
    "register",
    "Register a user, who may be a new one",
    &[Answer::ok("The user and the registration.", &REGISTERED)],
)
.body(&REQUEST)];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateRegistration",
    "Replace a registration",
    &[Answer::ok("The registration.", &ONE), NOT_FOUND],
)
.about("The body names the application.")
.at(At::Id)
.body(&UPDATING)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchRegistration",
    "Change parts of a registration",
    &[Answer::ok("The registration.", &ONE), NOT_FOUND],
)
.about("The body names the application, in whichever media type.")
.at(At::Id)
.patch(&UPDATING)];

pub(super) const RETRIEVE: &[Operation] = &[Operation::new(
    "retrieveRegistration",
    "Retrieve a registration",
    &[Answer::ok("The registration.", &ONE), NOT_FOUND],
)];

pub(super) const UPDATE_NAMED: &[Operation] = &[Operation::new(
    "updateRegistrationOfApplication",
    "Replace a registration",
    &[Answer::ok("The registration.", &ONE), NOT_FOUND],
)
.body(&UPDATING)];

pub(super) const PATCH_NAMED: &[Operation] = &[Operation::new(
    "patchRegistrationOfApplication",
    "Change parts of a registration",
    &[Answer::ok("The registration.", &ONE), NOT_FOUND],
)
.patch(&UPDATING)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteRegistration",
    "Delete a registration",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)];
