//! What `/api/email/suppression` gives.

use crate::description::{
    Answer, At, INSERT_INSTANT, Kind, NOT_FOUND, Object, Operation, TOTAL, given, shown,
    shown_maybe,
};

const SUPPRESSION: Object = Object::new(
    "Suppression",
    "An address that gets no mail for a while, since a server has refused it for good.",
    &[
        shown("address", Kind::Text, "The address."),
        shown("deliveryId", Kind::Id, "The delivery that was refused."),
        shown(
            "expirationInstant",
            Kind::Instant,
            "When mail may go to it again.",
        ),
        INSERT_INSTANT,
        shown("reason", Kind::Text, "What the server said."),
        shown_maybe(
            "statusCode",
            Kind::Integer(100, 999),
            "The status it said it with.",
        ),
        shown("tenantId", Kind::Id, "Whose mail was refused."),
    ],
);

const ONE: Object = Object::wrapper(&[shown(
    "suppression",
    Kind::Object(&SUPPRESSION),
    "The address.",
)]);

const ALL: Object = Object::wrapper(&[
    shown(
        "suppressions",
        Kind::List(&Kind::Object(&SUPPRESSION)),
        "A page of them, the newest first.",
    ),
    TOTAL,
]);

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveSuppressions",
        "List the suppressed addresses",
        &[Answer::ok("A page of addresses.", &ALL)],
    )
    .at(At::NoId)
    .query(&[
        given(
            "numberOfResults",
            Kind::Integer(0, i64::MAX),
            "Results at most: 25 if it is not said, never more than 1000.",
        ),
        given(
            "startRow",
            Kind::Integer(0, i64::MAX),
            "How many results to leave out first.",
        ),
    ]),
    Operation::new(
        "retrieveSuppression",
        "Look a suppressed address up",
        &[Answer::ok("The address.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteSuppression",
    "Let mail go to an address again",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.at(At::Id)];
