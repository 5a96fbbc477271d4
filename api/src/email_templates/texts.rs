//! The texts of a template as a request gives them, and what is wrong with them as
//! templates.

use actix_web::web;
use beadle_common::locale::LocalizedText;
use beadle_common::mail::sample;
use beadle_common::render::{EmailPart, EmailTexts, PartFault, Texts, lint};
use serde_json::{Map, Value};

use super::WRAPPER;
use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::input::Object;

/// Most bytes of one template text.
const LONGEST_TEMPLATE: usize = 65_535;

/// What is wrong with a text: the member that holds it, and the fault with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) message: String,
}

impl From<PartFault> for Fault {
    fn from(fault: PartFault) -> Self {
        let PartFault {
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

/// All texts; those that are not there are empty.
pub(super) fn read_texts(object: &Object<'_>) -> EmailTexts {
    let text = |member| object.long_text(member, LONGEST_TEMPLATE);
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
    let texts = object.localized(member).unwrap_or_default();
    if texts.values().any(|text| text.len() > LONGEST_TEMPLATE) {
        object.refuse(Prefix::TooLong, member);
    }
    texts
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
