//! What `/api/application` takes and gives.

use crate::description::{
    Answer, At, HARD_DELETE, INACTIVE, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, NOT_FOUND,
    Object, Operation, REACTIVATE, defaulted, optional, required, shown,
};
use crate::input::LONGEST_NAME;

const ROLE: Object = Object::new(
    "ApplicationRole",
    "What a registered user may be.",
    &[
        optional("description", Kind::Text, "For people."),
        optional("id", Kind::Id, "The role."),
        defaulted(
            "isDefault",
            Kind::Flag,
            "false",
            "Whether every registered user gets it.",
        ),
        defaulted(
            "isSuperRole",
            Kind::Flag,
            "false",
            "Kept, and not acted upon.",
        ),
        required(
            "name",
            Kind::ShortText(LONGEST_NAME),
            "What registrations call it.",
        ),
    ],
);

const LOGIN: Object = Object::new(
    "LoginConfiguration",
    "How users log in.",
    &[defaulted(
        "requireAuthentication",
        Kind::Flag,
        "true",
        "Whether logging in takes an API key.",
    )],
)
.open();

const APPLICATION: Object = Object::new(
    "Application",
    "Something that users of a tenant log in to, and that actions can be limited to. Members that Beadle does not know are kept.",
    &[
        shown("active", Kind::Flag, "Whether users can log in to it."),
        optional("baseURL", Kind::Text, "`baseUrl` in email templates."),
        defaulted("data", Kind::Data, "{}", "Anything."),
        shown("id", Kind::Id, "The application."),
        INSERT_INSTANT,
        LAST_UPDATE_INSTANT,
        defaulted(
            "loginConfiguration",
            Kind::Object(&LOGIN),
            "{\"requireAuthentication\": true}",
            "How users log in.",
        ),
        required(
            "name",
            Kind::ShortText(LONGEST_NAME),
            "Unlike that of any other application of the tenant, whatever its case.",
        ),
        defaulted("roles", Kind::List(&Kind::Object(&ROLE)), "[]", "What its users may be."),
        shown("state", Kind::Word(&["Active", "Inactive"]), "The same as `active`."),
        shown("tenantId", Kind::Id, "Whose it is."),
    ],
)
.open();

const ONE: Object = Object::wrapper(&[required(
    "application",
    Kind::Object(&APPLICATION),
    "The application.",
)]);

const ALL: Object = Object::wrapper(&[shown(
    "applications",
    Kind::List(&Kind::Object(&APPLICATION)),
    "The applications by name.",
)]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createApplication",
    "Create an application",
    &[Answer::ok("The application.", &ONE)],
)
.body(&ONE)];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveApplications",
        "List the applications",
        &[Answer::ok(
            "The applications that are active, or those that are not.",
            &ALL,
        )],
    )
    .at(At::NoId)
    .query(&[INACTIVE]),
    Operation::new(
        "retrieveApplication",
        "Retrieve an application",
        &[Answer::ok("The application.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateApplication",
    "Replace or reactivate an application",
    &[Answer::ok("The application.", &ONE), NOT_FOUND],
)
.at(At::Id)
.query(&[REACTIVATE])
.maybe_body(&ONE)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchApplication",
    "Change parts of an application",
    &[Answer::ok("The application.", &ONE), NOT_FOUND],
)
.at(At::Id)
.patch(&ONE)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteApplication",
    "Deactivate or delete an application",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.at(At::Id)
.query(&[HARD_DELETE])];
