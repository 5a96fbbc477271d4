//! What `/api/user-action` takes and gives.

use beadle_common::model::user_action::TransactionType;

use crate::description::{
    Answer, At, HARD_DELETE, INACTIVE, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND,
    Object, Operation, REACTIVATE, defaulted, optional, required, shown,
};
use crate::input::LONGEST_NAME;

const OPTION: Object = Object::new(
    "UserActionOption",
    "One of the values that an actioner may choose.",
    &[
        optional("localizedNames", Kind::Localized, "The name by locale."),
        required(
            "name",
            Kind::ShortText(LONGEST_NAME),
            "What is sent as `action.option`; no other option of the definition has it.",
        ),
    ],
);

const USER_ACTION: Object = Object::new(
    "UserAction",
    "A definition of something that can be done to users. All tenants share them.",
    &[
        shown("active", Kind::Flag, "Whether it may be applied to users."),
        optional(
            "cancelEmailTemplateId",
            Kind::Id,
            "The email of the phase `cancel`.",
        ),
        optional(
            "endEmailTemplateId",
            Kind::Id,
            "The email of the phase `end`.",
        ),
        shown("id", Kind::Id, "The definition."),
        defaulted(
            "includeEmailInEventJSON",
            Kind::Flag,
            "false",
            "Whether the event carries the rendered email.",
        ),
        INSERT_INSTANT,
        LAST_UPDATE_INSTANT,
        optional("localizedNames", Kind::Localized, "The name by locale."),
        optional(
            "modifyEmailTemplateId",
            Kind::Id,
            "The email of the phase `modify`.",
        ),
        required(
            "name",
            Kind::ShortText(LONGEST_NAME),
            "Unlike that of any other definition, whatever its case.",
        ),
        defaulted(
            "options",
            Kind::List(&Kind::Object(&OPTION)),
            "[]",
            "Values that an actioner may choose.",
        ),
        defaulted(
            "preventLogin",
            Kind::Flag,
            "false",
            "Whether it keeps the user from logging in while it is active. Needs `temporal`.",
        ),
        defaulted(
            "sendEndEvent",
            Kind::Flag,
            "true",
            "Whether an event is raised when an action of it expires.",
        ),
        optional(
            "startEmailTemplateId",
            Kind::Id,
            "The email of the phase `start`.",
        ),
        defaulted(
            "temporal",
            Kind::Flag,
            "false",
            "Whether its actions have an end.",
        ),
        defaulted(
            "tenantIds",
            Kind::List(&Kind::Id),
            "[]",
            "The tenants whose users it may be applied to; empty: all. A PUT without them keeps them, and null removes them.",
        ),
        optional(
            "transactionType",
            Kind::Word(TransactionType::TEXTS),
            "How many of the webhooks have to agree before an action happens; absent: as the tenant says.",
        ),
        defaulted(
            "userEmailingEnabled",
            Kind::Flag,
            "false",
            "Whether users may be emailed about it.",
        ),
        defaulted(
            "userNotificationsEnabled",
            Kind::Flag,
            "false",
            "Whether actioners are offered to have the user notified.",
        ),
    ],
);

const ONE: Object = Object::wrapper(&[required(
    "userAction",
    Kind::Object(&USER_ACTION),
    "The definition.",
)]);

const ALL: Object = Object::wrapper(&[shown(
    "userActions",
    Kind::List(&Kind::Object(&USER_ACTION)),
    "The definitions by name.",
)]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createUserAction",
    "Create a definition",
    &[Answer::ok("The definition.", &ONE)],
)
.body(&ONE)];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveUserActions",
        "List the definitions",
        &[Answer::ok("The definitions.", &ALL)],
    )
    .at(At::NoId)
    .query(&[INACTIVE]),
    Operation::new(
        "retrieveUserAction",
        "Retrieve a definition",
        &[Answer::ok("The definition.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateUserAction",
    "Replace or reactivate a definition",
    &[Answer::ok("The definition.", &ONE), NOT_FOUND],
)
.about("What is left out goes back to its default.")
.at(At::Id)
.query(&[REACTIVATE])
.maybe_body(&ONE)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchUserAction",
    "Change parts of a definition",
    &[Answer::ok("The definition.", &ONE), NOT_FOUND],
)
.at(At::Id)
.patch(&ONE)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteUserAction",
    "Deactivate or delete a definition",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.about("An inactive definition cannot be applied any more; actions of it run to their end.")
.at(At::Id)
.query(&[HARD_DELETE])];
