//! What `/api/user/action` takes and gives.

use crate::description::{
    Answer, At, Content, END, EVENT, EVENT_INFO, Field, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT,
    NOT_FOUND, Object, Operation, START, Search, TOTAL, given, must_give, shown, shown_maybe,
};
use crate::input::LONGEST_NAME;

const HISTORY_ITEM: Object = Object::new(
    "UserActionHistoryItem",
    "A state that was replaced.",
    &[
        shown_maybe("actionerUserId", Kind::Id, "Who had set it."),
        shown_maybe("comment", Kind::Text, "The comment it had."),
        shown("createInstant", Kind::Instant, "When it had been set."),
        shown_maybe("expiry", Kind::Instant, "The expiry it had."),
    ],
);

const HISTORY: Object = Object::wrapper(&[shown(
    "historyItems",
    Kind::List(&Kind::Object(&HISTORY_ITEM)),
    "The oldest first.",
)]);

/// As it is kept: names, texts and options are copies of what they were at its start.
const ACTION: Object = Object::new(
    "UserActionLog",
    "A definition that was applied to a user: an action.",
    &[
        shown("actioneeUserId", Kind::Id, "Who is acted upon."),
        shown_maybe(
            "actionerUserId",
            Kind::Id,
            "Who acted last; absent if it was the server.",
        ),
        shown(
            "applicationIds",
            Kind::List(&Kind::Id),
            "The applications that it is limited to; empty: not limited.",
        ),
        shown_maybe("comment", Kind::Text, "The last comment."),
        shown(
            "createInstant",
            Kind::Instant,
            "The same as `insertInstant`.",
        ),
        shown(
            "emailUserOnEnd",
            Kind::Flag,
            "Whether the user is emailed when it expires.",
        ),
        shown_maybe(
            "endEventSent",
            Kind::Flag,
            "Whether the event of its end was raised: temporal actions.",
        ),
        shown_maybe(
            "event",
            Kind::Object(&EVENT),
            "What this request led to. Only in its own answer.",
        ),
        shown_maybe(
            "expiry",
            Kind::Instant,
            "When it ends, or was canceled: temporal actions.",
        ),
        shown_maybe(
            "history",
            Kind::Object(&HISTORY),
            "The states it had before, if any.",
        ),
        shown("id", Kind::Id, "The action."),
        INSERT_INSTANT,
        LAST_UPDATE_INSTANT,
        shown(
            "localizedName",
            Kind::Text,
            "The name in the user's language.",
        ),
        shown_maybe(
            "localizedOption",
            Kind::Text,
            "The option in the user's language.",
        ),
        shown_maybe(
            "localizedReason",
            Kind::Text,
            "The reason in the user's language.",
        ),
        shown("name", Kind::Text, "The name of the definition."),
        shown(
            "notifyUserOnEnd",
            Kind::Flag,
            "`notifyUser` of the event of its end.",
        ),
        shown_maybe("option", Kind::Text, "The option that was chosen."),
        shown_maybe("reason", Kind::Text, "The text of the reason."),
        shown_maybe("reasonCode", Kind::Text, "The code of the reason."),
        shown("userActionId", Kind::Id, "The definition."),
    ],
);

const ONE: Object = Object::wrapper(&[shown("action", Kind::Object(&ACTION), "The action.")]);

const ALL: Object = Object::wrapper(&[shown(
    "actions",
    Kind::List(&Kind::Object(&ACTION)),
    "The newest first.",
)]);

const FOUND: Object = Object::wrapper(&[
    shown(
        "actions",
        Kind::List(&Kind::Object(&ACTION)),
        "A page of them.",
    ),
    TOTAL,
]);

const TAKE: Object = Object::new(
    "TakeAction",
    "Applies a definition to a user.",
    &[
        must_give("actioneeUserId", Kind::Id, "Who is acted upon."),
        ACTIONER,
        given(
            "applicationIds",
            Kind::List(&Kind::Id),
            "Applications of the user's tenant that it is limited to.",
        ),
        COMMENT,
        EMAIL_USER,
        given(
            "expiry",
            Kind::Instant,
            "When it ends; required for a temporal definition, ignored for others.",
        ),
        NOTIFY_USER,
        given(
            "option",
            Kind::ShortText(LONGEST_NAME),
            "The name of one of the definition's options.",
        ),
        given("reasonId", Kind::Id, "Why."),
        must_give(
            "userActionId",
            Kind::Id,
            "The definition, which has to be active.",
        ),
    ],
);

const MODIFY: Object = Object::new(
    "ModifyAction",
    "Changes an active action, and moves its end.",
    &[
        ACTIONER,
        COMMENT,
        EMAIL_USER,
        must_give("expiry", Kind::Instant, "When it ends now."),
        NOTIFY_USER,
    ],
);

const CANCEL: Object = Object::new(
    "CancelAction",
    "Takes an active action back.",
    &[ACTIONER, COMMENT, EMAIL_USER, NOTIFY_USER],
);

const ACTIONER: Field = must_give("actionerUserId", Kind::Id, "Who acts.");
const COMMENT: Field = given("comment", Kind::Text, "What the actioner says of it.");
const EMAIL_USER: Field = given(
    "emailUser",
    Kind::Flag,
    "Whether to email the user, if the definition allows it and has a template for this.",
);
const NOTIFY_USER: Field = given(
    "notifyUser",
    Kind::Flag,
    "Passed on in the event, for its receiver to act upon.",
);
const BROADCAST: Field = given("broadcast", Kind::Flag, "Whether to raise the event.");
const INFO: Field = given(
    "eventInfo",
    Kind::Object(&EVENT_INFO),
    "Who is behind the request, if it is not who sends it.",
);

const TAKING: Object = Object::wrapper(&[
    must_give("action", Kind::Object(&TAKE), "What to do."),
    BROADCAST,
    INFO,
]);

const MODIFYING: Object = Object::wrapper(&[
    must_give("action", Kind::Object(&MODIFY), "What to change."),
    BROADCAST,
    INFO,
]);

const CANCELING: Object = Object::wrapper(&[
    must_give("action", Kind::Object(&CANCEL), "Who takes it back."),
    BROADCAST,
    INFO,
]);

const NOT_AGREED: Answer = Answer::new(
    504,
    "Too few webhooks agreed, so that nothing was done: `[WebhookTransactionException]`.",
    Content::Errors,
);

pub(super) const TAKE_ACTION: &[Operation] = &[Operation::new(
    "actionUser",
    "Apply a definition to a user",
    &[
        Answer::ok("The action, and the event it led to.", &ONE),
        NOT_AGREED,
    ],
)
.at(At::NoId)
.body(&TAKING)];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveActions",
        "List the actions of a user",
        &[Answer::ok("The actions.", &ALL), NOT_FOUND],
    )
    .at(At::NoId)
    .query(&[
        must_give("userId", Kind::Id, "Who was acted upon."),
        given(
            "active",
            Kind::Flag,
            "Only those that are active, or only those that are not.",
        ),
        given(
            "preventingLogin",
            Kind::Flag,
            "Only those that keep the user from logging in. Not together with `active`.",
        ),
    ]),
    Operation::new(
        "retrieveAction",
        "Retrieve an action",
        &[Answer::ok("The action.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const MODIFY_ACTION: &[Operation] = &[Operation::new(
    "modifyAction",
    "Change an active action",
    &[
        Answer::ok("The action, and the event it led to.", &ONE),
        NOT_FOUND,
        NOT_AGREED,
    ],
)
.at(At::Id)
.body(&MODIFYING)];

pub(super) const CANCEL_ACTION: &[Operation] = &[Operation::new(
    "cancelAction",
    "Cancel an active action",
    &[
        Answer::ok("The action, and the event it led to.", &ONE),
        NOT_FOUND,
        NOT_AGREED,
    ],
)
.at(At::Id)
.body(&CANCELING)];

pub(super) const SEARCH_ACTIONS: &[Operation] = &[Operation::new(
    "searchActions",
    "Search the actions of all users",
    &[Answer::ok("A page of actions.", &FOUND)],
)
.search(&Search {
    criteria: &[
        given("userId", Kind::Id, "Who was acted upon."),
        given("actionerUserId", Kind::Id, "Who acted last."),
        given("userActionId", Kind::Id, "The definition."),
        given("active", Kind::Flag, "Whether it is active."),
        START,
        END,
    ],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
})];
