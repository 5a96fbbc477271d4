//! From an order to mails, and to what the caller is told of those that failed.

use std::collections::BTreeMap;

use beadle_common::instant::Instant;
use beadle_common::locale::Locale;
use beadle_common::mail::{Letter, Mail, Setup, Variables, texts, unsubscribe};
use beadle_common::model::email::Mailbox;
use beadle_common::model::tenant::Tenant;
use beadle_common::model::user::User;
use beadle_common::render::{EmailTexts, FaultKind, RenderError, render as render_email};
use beadle_common::view::{self, Absent};
use serde_json::{Map, Value, json};

use super::input::Order;
use crate::error::ApiError;
use crate::errors::{Errors, Prefix};

/// Bytes of all mails of one request at most: they are held in memory until the commit.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What is to be queued, and the body of the answer.
pub(super) struct Rendered {
    pub(super) mails: Vec<Mail>,
    pub(super) answer: Value,
}

/// One reader of the template.
struct Reader<'a> {
    user: Option<(&'a User, Value)>,
    to: Mailbox,
    languages: &'a [Locale],
    tenant: &'a Tenant,
}

pub(super) fn render(setup: &Setup, order: Order, now: Instant) -> Result<Rendered, ApiError> {
    let texts = texts(&order.template);
    let mut mails = Vec::new();
    let mut bytes = 0;
    let (mut of_users, mut of_others) = (Map::new(), Map::new());
    for reader in readers(&order) {
        match reader.render(setup, &order, &texts, now) {
            Ok(mail) => {
                bytes += mail.row.html.len() + mail.row.text.len();
                mails.push(mail);
            }
            Err(error) => match reader.user {
                Some((user, _)) => {
                    of_users.insert(user.id.to_string(), explain(&error));
                }
                None => {
                    of_others.insert(reader.to.address, explain(&error));
                }
            },
        }
        if bytes > MOST_BYTES {
            return Err(too_much());
        }
    }
    let mut answer = Map::new();
    for (member, results) in [("results", of_users), ("anonymousResults", of_others)] {
        if !results.is_empty() {
            answer.insert(member.to_owned(), Value::Object(results));
        }
    }
    Ok(Rendered {
        mails,
        answer: Value::Object(answer),
    })
}

fn readers(order: &Order) -> impl Iterator<Item = Reader<'_>> {
    let users = order.users.iter().filter_map(|(user, registrations)| {
        Some(Reader {
            user: Some((
                user,
                view::registered_user(user, registrations, Absent::Null),
            )),
            to: user.mailbox()?,
            languages: &user.preferred_languages.0,
            tenant: order.tenants.get(&user.tenant_id)?,
        })
    });
    let others = order.others.iter().filter_map(|to| {
        Some(Reader {
            user: None,
            to: to.clone(),
            languages: &order.languages,
            tenant: order.tenants.get(&order.tenant?)?,
        })
    });
    users.chain(others)
}

impl Reader<'_> {
    fn render(
        &self,
        setup: &Setup,
        order: &Order,
        texts: &EmailTexts,
        now: Instant,
    ) -> Result<Mail, RenderError> {
        let user = self.user.as_ref();
        let timezone = user.and_then(|(user, _)| user.timezone.as_deref());
        let variables = self.variables(setup, order);
        let rendered = render_email(texts, self.languages, &variables, timezone)?;
        let unsubscribe = unsubscribe(self.tenant, &variables).unwrap_or_else(|fault| {
            tracing::warn!("a mail goes without `List-Unsubscribe`: {fault}");
            None
        });
        let letter = Letter {
            setup,
            tenant: self.tenant,
            template: &order.template,
            action_log: None,
            event: None,
            user: user.map(|(user, _)| user.id),
            to: vec![self.to.clone()],
            cc: order.cc.clone(),
            bcc: order.bcc.clone(),
            languages: self.languages,
            unsubscribe,
            now,
        };
        Ok(letter.mail(rendered))
    }

    fn variables(&self, setup: &Setup, order: &Order) -> Value {
        let application = order.application.as_ref();
        let base_url = application
            .and_then(|application| application.settings.0.get("baseURL"))
            .cloned();
        let variables = Variables {
            application: application
                .map(|application| view::application(application, Absent::Null))
                .unwrap_or_default(),
            base_url: base_url.unwrap_or_else(|| setup.base_url.clone().into()),
            request_data: order.request_data.clone(),
            tenant: view::tenant(self.tenant, Absent::Null),
            user: self
                .user
                .as_ref()
                .map(|(_, view)| view.clone())
                .unwrap_or_default(),
            ..Variables::default()
        };
        variables.into_json()
    }
}

/// What is wrong with each part, apart from the data and with it.
fn explain(error: &RenderError) -> Value {
    let of_kind = |kind| -> BTreeMap<&str, String> {
        let faults = error.faults.iter().filter(|part| part.fault.kind == kind);
        faults
            .map(|part| {
                let message = match &part.locale {
                    Some(locale) => format!("{locale}: {}", part.fault),
                    None => part.fault.to_string(),
                };
                (part.part.name(), message)
            })
            .collect()
    };
    json!({"parseErrors": of_kind(FaultKind::Parse), "renderErrors": of_kind(FaultKind::Render)})
}

fn too_much() -> ApiError {
    let mut errors = Errors::default();
    errors.add(
        Prefix::TooMany,
        "userIds",
        format!("the mails come to more than {MOST_BYTES} bytes, send them in several requests"),
    );
    ApiError::BadRequest(errors)
}
