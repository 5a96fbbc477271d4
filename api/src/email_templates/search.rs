//! `GET` and `POST /api/email/template/search`

use beadle_common::model::email_template::EmailTemplate;
use beadle_common::model::listing::TemplateSearch;

use super::retrieve::Templates;
use crate::answer::Answer;
use crate::extract::Call;
use crate::listing;
use crate::search::{Criteria, read_order, read_window, text_criterion};

pub(super) const FIELDS: [&str; 3] = ["id", "insertInstant", "name"];
pub(super) const DEFAULT_ORDER: &str = "name ASC";

pub(super) async fn search_email_templates(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (search, sorts, window) = criteria.read(|criteria| {
        let name = text_criterion(criteria, "name");
        let sorts = read_order(criteria, &FIELDS, DEFAULT_ORDER);
        Ok((TemplateSearch { name }, sorts, read_window(criteria)))
    })?;
    listing::answer(&call, "emailTemplates", Templates, move |connection| {
        Ok(EmailTemplate::search(connection, &search, &sorts, window)?)
    })
    .await
}
