//! The texts of a template as a request gives them, and what is wrong with them as
//! templates.

use actix_web::web;
use beadle_common::locale::LocalizedText;
use beadle_common::mail::sample;
use beadle_common::render::{EmailPart, EmailTexts, PartError, Texts, lint};
use serde_json::{Map, Value};

use super::WRAPPER;
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::input::Object;

/// Most bytes of one template text.
const LONGEST_TEMPLATE: usize = 65_535;

/// Most bytes of all texts of a template, in all languages.
const LARGEST_TEMPLATE: usize = 1024 * 1024;

/// What is wrong with a text: the member that holds it, and the fault with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) message: String,
}

impl From<PartError> for Fault {
    fn from(fault: PartError) -> Self {
        let PartError {
            part,
            locale,
            fault,
        } = fault;
        let member = match (part, locale.is_some()) {
            (EmailPart::Subject, false) => "defaultSubject",
            (EmailPart::Subject, true) => "localizedSubjects",
            (EmailPart::FromName, false) => "defaultFromName",
            (EmailPart::FromName, true) => "localizedFromNames",
            (EmailPart::Html, false) => "defaultHtmlTemplate",
            (EmailPart::Html, true) => "localizedHtmlTemplates",
            (EmailPart::Text, false) => "defaultTextTemplate",
            (EmailPart::Text, true) => "localizedTextTemplates",
        };
        Self {
            path: format!("{WRAPPER}.{member}"),
            message: match locale {
                Some(locale) => format!("{locale}: {fault}"),
                None => fault.to_string(),
            },
        }
    }
}

/// All texts; those that are not there, or are too long, are empty.
pub(super) fn read_texts(object: &Object<'_>) -> EmailTexts {
    let text = |member| {
        let text = object.long_text(member, LONGEST_TEMPLATE);
        text.filter(|text| text.len() <= LONGEST_TEMPLATE)
    };
    let required = |default, localized| Texts {
        default: text(default).unwrap_or_default(),
        localized: read_localized(object, localized),
    };
    EmailTexts {
        subject: required("defaultSubject", "localizedSubjects"),
        from_name: Texts {
            default: text("defaultFromName"),
            localized: read_localized(object, "localizedFromNames"),
        },
        html: required("defaultHtmlTemplate", "localizedHtmlTemplates"),
        text: required("defaultTextTemplate", "localizedTextTemplates"),
    }
}

fn read_localized(object: &Object<'_>, member: &str) -> LocalizedText {
    let mut texts = object.localized(member).unwrap_or_default();
    let given = texts.len();
    texts.retain(|_, text| text.len() <= LONGEST_TEMPLATE);
    if texts.len() < given {
        object.refuse(Prefix::TooLong, member);
    }
    texts
}

/// Reports texts that come to more together than one request can hold: a template has to fit
/// into the request that replaces it.
pub(super) fn check_size(object: &Object<'_>, texts: &EmailTexts) {
    let parts = [
        (Some(&texts.subject.default), &texts.subject.localized),
        (texts.from_name.default.as_ref(), &texts.from_name.localized),
        (Some(&texts.html.default), &texts.html.localized),
        (Some(&texts.text.default), &texts.text.localized),
    ];
    let bytes = parts.into_iter().flat_map(|(default, localized)| {
        let all = default.into_iter().chain(localized.values());
        all.map(String::len)
    });
    if bytes.sum::<usize>() > LARGEST_TEMPLATE {
        let message = format!("the texts come to more than {LARGEST_TEMPLATE} bytes");
        object
            .errors()
            .refuse_because(Prefix::TooLong, WRAPPER, message);
    }
}

/// Tries every text of the request with sample data. It takes its time, so it is done
/// before the transaction that saves the template.
pub(super) async fn lint_request(members: Map<String, Value>) -> Result<Vec<Fault>, ApiError> {
    web::block(move || {
        // What cannot be read is reported by whoever saves it.
        let ignored = Collector::new();
        let Some(object) = Object::root(&members, &ignored).object(WRAPPER) else {
            return Vec::new();
        };
        let faults = lint(&read_texts(&object), sample());
        faults.into_iter().map(Fault::from).collect()
    })
    .await
    .map_err(ApiError::internal)
}
