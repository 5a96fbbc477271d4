//! What `/api/login` takes and gives.

use crate::description::{
    Answer, Content, EVENT_INFO, Kind, Object, Operation, given, must_give, shown, shown_maybe,
};
use crate::users::USER;

const REQUEST: Object = Object::wrapper(&[
    given(
        "applicationId",
        Kind::Id,
        "What to log in to; it has to be active.",
    ),
    given(
        "eventInfo",
        Kind::Object(&EVENT_INFO),
        "Who is behind the request, for the event of a lock.",
    ),
    given("ipAddress", Kind::Text, "Where the user is."),
    must_give("loginId", Kind::Text, "The email address or the name."),
    given("metaData", Kind::Data, "Not looked at."),
    given("noJWT", Kind::Flag, "Accepted; there is never a token."),
    must_give("password", Kind::Text, "As it was typed."),
]);

const WELCOME: Object = Object::wrapper(&[shown("user", Kind::Object(&USER), "Who logged in.")]);

const PREVENTING: Object = Object::new(
    "LoginPreventingAction",
    "An active action that keeps a user out.",
    &[
        shown("actionId", Kind::Id, "The definition."),
        shown_maybe("actionerUserId", Kind::Id, "Who acted."),
        shown_maybe("expiry", Kind::Instant, "When it ends."),
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
        shown_maybe("option", Kind::Text, "The option that was chosen."),
        shown_maybe("reason", Kind::Text, "The text of the reason."),
        shown_maybe("reasonCode", Kind::Text, "The code of the reason."),
    ],
);

const PREVENTED: Object = Object::wrapper(&[shown(
    "actions",
    Kind::List(&Kind::Object(&PREVENTING)),
    "The actions that prevent it.",
)]);

pub(super) const LOGIN: &[Operation] = &[Operation::new(
    "login",
    "Log a user in",
    &[
        Answer::ok(
            "Registered for the application, or none was named.",
            &WELCOME,
        ),
        Answer::new(
            202,
            "Not registered for the application.",
            Content::Json(&WELCOME),
        ),
        Answer::empty(404, "No such user, or another password."),
        Answer::new(409, "Actions keep the user out.", Content::Json(&PREVENTED)),
        Answer::empty(410, "The account has expired."),
        Answer::empty(423, "The user is inactive."),
    ],
)
.about(
    "Takes no API key if `loginConfiguration.requireAuthentication` of the application is false. At most 8 KiB are read. When too many passwords wait to be checked, the answer is 503 with `[TooBusy]`.",
)
.body(&REQUEST)];
