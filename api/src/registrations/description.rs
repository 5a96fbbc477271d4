//! What `/api/user/registration` takes and gives.

use crate::description::{
    Answer, At, Kind, NOT_FOUND, Object, Operation, given, must_give, required, shown,
};
use crate::users::{REGISTRATION, USER};

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
