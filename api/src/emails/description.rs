//! What `/api/email/send` takes and gives.

use crate::description::{
    Answer, Content, Kind, MAILBOX, NOT_FOUND, Object, Operation, given, shown, shown_maybe,
};

use crate::description::At;

const REQUEST: Object = Object::wrapper(&[
    given("applicationId", Kind::Id, "`application` in the template."),
    given(
        "bccAddresses",
        Kind::List(&Kind::Email),
        "Blind copies of each mail.",
    ),
    given(
        "ccAddresses",
        Kind::List(&Kind::Email),
        "Copies of each mail.",
    ),
    given(
        "preferredLanguages",
        Kind::List(&Kind::Locale),
        "What `toAddresses` read. Users have languages of their own.",
    ),
    given("requestData", Kind::Data, "`requestData` in the template."),
    given(
        "toAddresses",
        Kind::List(&Kind::Object(&MAILBOX)),
        "Readers who are no users.",
    ),
    given(
        "userIds",
        Kind::List(&Kind::Id),
        "Readers who are users. One of either kind is required.",
    ),
]);

const FAILURES: Object = Object::new(
    "SendFailure",
    "Why a mail could not be rendered: the reason by part.",
    &[
        shown(
            "parseErrors",
            Kind::Map(&Kind::Text),
            "Faults of the template.",
        ),
        shown(
            "renderErrors",
            Kind::Map(&Kind::Text),
            "Faults of the template with this reader's data.",
        ),
    ],
);

const RESULT: Object = Object::wrapper(&[
    shown_maybe(
        "anonymousResults",
        Kind::Map(&Kind::Object(&FAILURES)),
        "By address: who gets no mail.",
    ),
    shown_maybe(
        "results",
        Kind::Map(&Kind::Object(&FAILURES)),
        "By user: who gets no mail.",
    ),
]);

pub(super) const SEND: &[Operation] = &[Operation::new(
    "sendEmail",
    "Send a template to readers",
    &[
        Answer::new(
            202,
            "Everything that could be rendered is on its way; an empty object if that is all.",
            Content::Json(&RESULT),
        ),
        NOT_FOUND,
    ],
)
.at(At::Id)
.body(&REQUEST)];
