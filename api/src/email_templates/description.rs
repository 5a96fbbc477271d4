//! What `/api/email/template` takes and gives.

use crate::description::{
    Answer, At, INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, MAILBOX, NOT_FOUND, Object, Operation,
    Search, TOTAL, defaulted, given, must_give, optional, required, shown, shown_maybe, text,
};
use crate::input::LONGEST_NAME;

const TEMPLATE: Object = Object::new(
    "EmailTemplate",
    "The texts of an email, in Handlebars. Each part is chosen for itself by the reader's languages.",
    &[
        optional(
            "defaultFromName",
            Kind::Text,
            "The sender's name; absent: that of the tenant.",
        ),
        required(
            "defaultHtmlTemplate",
            Kind::Text,
            "The part for programs that show HTML.",
        ),
        required("defaultSubject", Kind::Text, "The subject."),
        required(
            "defaultTextTemplate",
            Kind::Text,
            "The part for all other programs.",
        ),
        optional(
            "fromEmail",
            Kind::Email,
            "The sender; absent: that of the tenant.",
        ),
        shown("id", Kind::Id, "The template."),
        INSERT_INSTANT,
        LAST_UPDATE_INSTANT,
        defaulted(
            "localizedFromNames",
            Kind::Localized,
            "{}",
            "The sender's name by locale.",
        ),
        defaulted(
            "localizedHtmlTemplates",
            Kind::Localized,
            "{}",
            "The HTML part by locale.",
        ),
        defaulted(
            "localizedSubjects",
            Kind::Localized,
            "{}",
            "The subject by locale.",
        ),
        defaulted(
            "localizedTextTemplates",
            Kind::Localized,
            "{}",
            "The text part by locale.",
        ),
        required(
            "name",
            Kind::ShortText(LONGEST_NAME),
            "For people; unlike that of any other template, whatever its case.",
        ),
    ],
);

const ONE: Object = Object::wrapper(&[required(
    "emailTemplate",
    Kind::Object(&TEMPLATE),
    "The template.",
)]);

const ALL: Object = Object::wrapper(&[shown(
    "emailTemplates",
    Kind::List(&Kind::Object(&TEMPLATE)),
    "The templates by name.",
)]);

const FOUND: Object = Object::wrapper(&[
    shown(
        "emailTemplates",
        Kind::List(&Kind::Object(&TEMPLATE)),
        "A page of them.",
    ),
    TOTAL,
]);

const DRAFT: Object = Object::new(
    "EmailTemplateDraft",
    "A template, or a part of one.",
    &[
        given("defaultFromName", Kind::Text, ""),
        given("defaultHtmlTemplate", Kind::Text, ""),
        given("defaultSubject", Kind::Text, ""),
        given("defaultTextTemplate", Kind::Text, ""),
        given("fromEmail", Kind::Email, ""),
        given("localizedFromNames", Kind::Localized, ""),
        given("localizedHtmlTemplates", Kind::Localized, ""),
        given("localizedSubjects", Kind::Localized, ""),
        given("localizedTextTemplates", Kind::Localized, ""),
        given("name", Kind::Text, "Not looked at."),
    ],
);

const PREVIEW: Object = Object::wrapper(&[
    must_give("emailTemplate", Kind::Object(&DRAFT), "What to show."),
    given(
        "locale",
        Kind::Locale,
        "The reader's language; absent: the defaults.",
    ),
]);

const EMPTY: Kind = Kind::List(&Kind::Any);

const PREVIEWED: Object = Object::wrapper(&[
    shown(
        "email",
        Kind::Object(&Object::wrapper(&[
            shown("attachments", EMPTY, "Always empty."),
            shown("bcc", EMPTY, "Always empty."),
            shown("cc", EMPTY, "Always empty."),
            shown("from", Kind::Object(&MAILBOX), "The sender."),
            shown_maybe("html", Kind::Text, "If it was given, and can be rendered."),
            shown_maybe(
                "subject",
                Kind::Text,
                "If it was given, and can be rendered.",
            ),
            shown_maybe("text", Kind::Text, "If it was given, and can be rendered."),
            shown("to", EMPTY, "Always empty."),
        ])),
        "What a made-up user would get.",
    ),
    shown(
        "errors",
        Kind::Object(&crate::description::ERRORS),
        "What is wrong with the texts.",
    ),
]);

pub(super) const CREATE: &[Operation] = &[Operation::new(
    "createEmailTemplate",
    "Create a template",
    &[Answer::ok("The template.", &ONE)],
)
.about("All its texts are tried with sample data: what cannot be rendered is refused.")
.body(&ONE)];

pub(super) const RETRIEVE: &[Operation] = &[
    Operation::new(
        "retrieveEmailTemplates",
        "List the templates",
        &[Answer::ok("The templates.", &ALL)],
    )
    .at(At::NoId),
    Operation::new(
        "retrieveEmailTemplate",
        "Retrieve a template",
        &[Answer::ok("The template.", &ONE), NOT_FOUND],
    )
    .at(At::Id),
];

pub(super) const UPDATE: &[Operation] = &[Operation::new(
    "updateEmailTemplate",
    "Replace a template",
    &[Answer::ok("The template.", &ONE), NOT_FOUND],
)
.at(At::Id)
.body(&ONE)];

pub(super) const PATCH: &[Operation] = &[Operation::new(
    "patchEmailTemplate",
    "Change parts of a template",
    &[Answer::ok("The template.", &ONE), NOT_FOUND],
)
.at(At::Id)
.patch(&ONE)];

pub(super) const DELETE: &[Operation] = &[Operation::new(
    "deleteEmailTemplate",
    "Delete a template",
    &[Answer::empty(200, "Done."), NOT_FOUND],
)
.about("Refused with `[inUse]emailTemplateId` while a definition or a tenant names it.")
.at(At::Id)];

pub(super) const SEARCH: &[Operation] = &[Operation::new(
    "searchEmailTemplates",
    "Search the templates",
    &[Answer::ok("A page of templates.", &FOUND)],
)
.search(&Search {
    criteria: &[text("name")],
    order: &super::search::FIELDS,
    default_order: super::search::DEFAULT_ORDER,
})];

pub(super) const PREVIEW_TEMPLATE: &[Operation] = &[Operation::new(
    "retrieveEmailTemplatePreview",
    "Show a template as a reader would get it",
    &[Answer::ok(
        "The email, and what is wrong with the texts.",
        &PREVIEWED,
    )],
)
.about("Nothing is stored or sent.")
.body(&PREVIEW)];
