//! From an order to mails, and to what the caller is told of those that failed.

use std::collections::BTreeMap;

use beadle_common::id::UserId;
use beadle_common::locale::Locale;
use beadle_common::mail::{EmailDraft, QueuedEmail, Setup, Variables, texts, unsubscribe};
use beadle_common::model::email::Mailbox;
use beadle_common::model::tenant::Tenant;
use beadle_common::render::{RenderError, RenderedEmail, Renderer, TemplateErrorKind};
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{self, Absent};
use serde_json::{Map, Value, json};
use url::Url;

use super::input::Order;
use crate::error::ApiError;
use crate::errors::{Errors, Prefix};

/// Bytes of all mails of one request at most. They are held in memory until they are written,
/// and others wait on SQLite while they are.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What is to be queued, and the body of the answer.
pub(super) struct Rendered {
    pub(super) mails: Vec<QueuedEmail>,
    pub(super) answer: Value,
}

/// A mail without its addresses.
#[derive(Clone)]
struct Content {
    rendered: RenderedEmail,
    unsubscribe: Option<Url>,
}

pub(super) fn render(
    setup: &Setup,
    mut order: Order,
    now: UnixMillis,
) -> Result<Rendered, ApiError> {
    let texts = texts(&order.template);
    let variables = shared_variables(setup, &mut order);
    let mut batch = Batch {
        setup,
        order: &order,
        renderer: Renderer::for_many(&texts, variables),
        now,
        mails: Vec::new(),
        bytes: 0,
    };
    let of_users = batch.mail_users()?;
    let of_others = batch.mail_others()?;
    let mut answer = Map::new();
    for (member, results) in [("results", of_users), ("anonymousResults", of_others)] {
        if !results.is_empty() {
            answer.insert(member.to_owned(), Value::Object(results));
        }
    }
    Ok(Rendered {
        mails: batch.mails,
        answer: Value::Object(answer),
    })
}

/// The variables that are the same for every reader.
fn shared_variables(setup: &Setup, order: &mut Order) -> Value {
    let application = order.application.as_ref();
    let base_url = application
        .and_then(|application| application.settings.0.get("baseURL"))
        .cloned();
    let variables = Variables {
        application: application
            .map(|application| view::application(application, Absent::Null).into_value())
            .unwrap_or_default(),
        base_url: base_url.unwrap_or_else(|| setup.base_url.clone().into()),
        request_data: order.request_data.take(),
        ..Variables::default()
    };
    variables.into_json()
}

/// The mails of one request as they are rendered, one after the other.
struct Batch<'a> {
    setup: &'a Setup,
    order: &'a Order,
    renderer: Renderer<'a>,
    now: UnixMillis,
    mails: Vec<QueuedEmail>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    /// Mails the users, and says why some get nothing.
    fn mail_users(&mut self) -> Result<Map<String, Value>, ApiError> {
        let order = self.order;
        let mut failures = Map::new();
        let mut named = None;
        for (user, registrations) in &order.users {
            let tenant = order.tenants.get(&user.tenant_id);
            let Some((to, tenant)) = user.mailbox().zip(tenant) else {
                continue;
            };
            if named.replace(tenant.id) != Some(tenant.id) {
                self.name_tenant(tenant);
            }
            let view = view::registered_user(user, registrations, Absent::Null);
            self.renderer.set("user", view.into_value());
            let languages = &user.preferred_languages.0;
            match self.content(tenant, languages, user.timezone.as_deref())? {
                Ok(content) => self.add(tenant, Some(user.id), to, languages, content)?,
                Err(error) => {
                    failures.insert(user.id.to_string(), explain(&error));
                }
            }
        }
        Ok(failures)
    }

    /// The same for those who are no users. All of them get the same.
    fn mail_others(&mut self) -> Result<Map<String, Value>, ApiError> {
        let order = self.order;
        let tenant = order.tenant.and_then(|id| order.tenants.get(&id));
        let Some(tenant) = tenant.filter(|_| !order.others.is_empty()) else {
            return Ok(Map::new());
        };
        self.name_tenant(tenant);
        self.renderer.set("user", Value::Null);
        let languages = &order.languages;
        let content = match self.content(tenant, languages, None)? {
            Ok(content) => content,
            Err(error) => {
                let others = order.others.iter();
                let failures = others.map(|to| (to.address.clone(), explain(&error)));
                return Ok(failures.collect());
            }
        };
        for to in &order.others {
            self.add(tenant, None, to.clone(), languages, content.clone())?;
        }
        Ok(Map::new())
    }

    fn name_tenant(&mut self, tenant: &Tenant) {
        let view = view::tenant(tenant, Absent::Null);
        self.renderer.set("tenant", view.into_value());
    }

    /// The inner error is the template's.
    fn content(
        &mut self,
        tenant: &Tenant,
        languages: &[Locale],
        timezone: Option<&str>,
    ) -> Result<Result<Content, RenderError>, ApiError> {
        let rendered = self.renderer.email(languages, timezone);
        if self.renderer.is_exhausted() {
            let message = "the mails take too long to render, send them in several requests";
            return Err(too_much(message.to_owned()));
        }
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Err(error)),
        };
        let unsubscribe = unsubscribe(tenant, &mut self.renderer).unwrap_or_else(|fault| {
            tracing::warn!("a mail goes without `List-Unsubscribe`: {fault}");
            None
        });
        Ok(Ok(Content {
            rendered,
            unsubscribe,
        }))
    }

    fn add(
        &mut self,
        tenant: &'a Tenant,
        user: Option<UserId>,
        to: Mailbox,
        languages: &'a [Locale],
        content: Content,
    ) -> Result<(), ApiError> {
        let letter = EmailDraft {
            setup: self.setup,
            tenant,
            template: &self.order.template,
            action_log: None,
            event: None,
            user,
            to: vec![to],
            cc: self.order.cc.clone(),
            bcc: self.order.bcc.clone(),
            languages,
            unsubscribe: content.unsubscribe,
            now: self.now,
        };
        let mail = letter.mail(content.rendered);
        self.bytes += mail.bytes();
        self.mails.push(mail);
        if self.bytes > MOST_BYTES {
            return Err(too_much(format!(
                "the mails come to more than {MOST_BYTES} bytes, send them in several requests"
            )));
        }
        Ok(())
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
    json!({"parseErrors": of_kind(TemplateErrorKind::Parse), "renderErrors": of_kind(TemplateErrorKind::Render)})
}

fn too_much(message: String) -> ApiError {
    let mut errors = Errors::default();
    errors.add(Prefix::TooMany, "userIds", message);
    ApiError::BadRequest(errors)
}
