//! What `/api/user-action-reason` takes and gives.

use crate::description::{
    Answer, At, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND, Object, Operation, optional,
    required, shown,
};
use crate::input::LONGEST_NAME;

const REASON: Object = Object::new(
    "UserActionReason",
    "Why something is done to a user. Actions keep copies, so that it may change or go.",
    &[
        required(
            "code",
            Kind::ShortText(LONGEST_NAME),
            "For programs; unlike that of any other reason, whatever its case.",
        ),
        shown("id", Kind::Id, "The reason."),
        INSERT_INSTANT,
        LAST_UPDATE_INSTANT,
        optional("localizedTexts", Kind::Localized, "The text by locale."),
        required(
            "text",
            Kind::ShortText(LONGEST_NAME),
            "For people; unlike that of any other reason, whatever its case.",
        ),
    ],
);

const ONE: Object = Object::wrapper(&[required(
    "userActionReason",
    Kind::Object(&REASON),
    "The reason.",
)]);

const ALL: Object = Object::wrapper(&[shown(
    "userActionReasons",
    Kind::List(&Kind::Object(&REASON)),
    "The reasons by text.",
)]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createUserActionReason",
    "Create a reason",
    &[Answer::ok("The reason.", &ONE)],
)
.body(&ONE)];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveUserActionReasons",
        "List the reasons",
        &[Answer::ok("The reasons.", &ALL)],
    )
    .at(At::NoId),
    Operation::new(
        "retrieveUserActionReason",
        "Retrieve a reason",
        &[Answer::ok("The reason.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateUserActionReason",
    "Replace a reason",
    &[Answer::ok("The reason.", &ONE), NOT_FOUND],
)
.at(At::Id)
.body(&ONE)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchUserActionReason",
    "Change parts of a reason",
    &[Answer::ok("The reason.", &ONE), NOT_FOUND],
)
.at(At::Id)
.patch(&ONE)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteUserActionReason",
    "Delete a reason",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.at(At::Id)];
