//! `GET` and `POST /api/email/template/search`

use beadle_common::model::email_template::EmailTemplate;
use serde_json::{Value, json};

use super::view;
use crate::answer::{self, Answer};
use crate::extract::Call;
use crate::search::{Criteria, Key, Order, Page, matches};

pub(super) const FIELDS: [&str; 3] = ["id", "insertInstant", "name"];
pub(super) const DEFAULT_ORDER: &str = "name ASC";

pub(super) async fn search_email_templates(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (name, order, page) = criteria.read(|criteria| {
        let order = Order::read(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((criteria.text("name"), order, Page::read(criteria)))
    })?;
    let mut templates = call
        .state()
        .read(|connection| Ok(EmailTemplate::all(connection)?))
        .await?;
    templates.retain(|template| {
        name.as_deref()
            .is_none_or(|name| matches(name, &template.name))
    });
    order.sort(&mut templates, |template, field| match field {
        "name" => Key::text(&template.name),
        "insertInstant" => Key::Number(template.insert_instant.millis()),
        _ => Key::Text(template.id.to_string()),
    });
    let total = templates.len();
    let page: Value = page
        .of(templates)
        .map(|template| view::email_template(&template))
        .collect();
    Ok(answer::json(
        &json!({"total": total, "emailTemplates": page}),
    ))
}
