//! `POST /api/email/template/preview`

use actix_web::web;
use beadle_common::locale::Locale;
use beadle_common::mail::{Setup, sample, sample_timezone, sender};
use beadle_common::render::{EmailTexts, Part, Texts, render_parts};
use beadle_common::view::{Absent, Members};
use serde_json::{Map, Value, json};

use super::WRAPPER;
use super::texts::{Fault, read_texts};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::{Collector, Errors, Prefix};
use crate::extract::Call;
use crate::input::Object;

struct Draft {
    texts: EmailTexts,
    from_email: Option<String>,
    locale: Option<Locale>,
}

/// Shows a template, or a part of one, as a made-up user would get it. What is wrong with
/// its texts is told beside what is right; nothing is stored or sent.
pub(super) async fn preview_email_template(mut call: Call) -> Answer {
    let members = call.body().await?.into_members()?;
    let draft = read(&members)?;
    let setup = call.state().setup.clone();
    let answer = web::block(move || show(&setup, &draft))
        .await
        .map_err(ApiError::internal)?;
    Ok(answer::json(&answer))
}

fn read(members: &Map<String, Value>) -> Result<Draft, ApiError> {
    let errors = Collector::new();
    let root = Object::root(members, &errors);
    let locale = root.text("locale").and_then(|text| {
        let locale = Locale::parse(&text).ok();
        if locale.is_none() {
            root.refuse(Prefix::InvalidJson, "locale");
        }
        locale
    });
    let draft = root.required_object(WRAPPER).map(|object| Draft {
        texts: read_texts(&object),
        from_email: object.email("fromEmail"),
        locale,
    });
    errors.finish()?;
    draft.ok_or_else(|| ApiError::field(Prefix::Missing, WRAPPER))
}

fn show(setup: &Setup, draft: &Draft) -> Value {
    let texts = &draft.texts;
    let preferred: Vec<Locale> = draft.locale.clone().into_iter().collect();
    let parts = render_parts(texts, &preferred, sample(), sample_timezone());
    let name = parts.from_name.as_ref().map(|part| part.text.as_str());
    let from = sender(setup, None, draft.from_email.as_deref(), name);
    let mut errors = Errors::default();
    for fault in parts.faults {
        let Fault { path, message } = fault.into();
        errors.add(Prefix::Invalid, &path, message);
    }
    let email = Members::new(Absent::Omit)
        .with("attachments", json!([]))
        .with("bcc", json!([]))
        .with("cc", json!([]))
        .with("from", from)
        .maybe("html", given(&texts.html, parts.html))
        .maybe("subject", given(&texts.subject, parts.subject))
        .maybe("text", given(&texts.text, parts.text))
        .with("to", json!([]))
        .done();
    json!({"email": email, "errors": errors.to_json()})
}

/// What came of a text that the request has.
fn given(texts: &Texts<String>, part: Option<Part>) -> Option<String> {
    let given = !texts.default.is_empty() || !texts.localized.is_empty();
    part.filter(|_| given).map(|part| part.text)
}
