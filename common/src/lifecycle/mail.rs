//! The mail of a phase: rendered once, before anything is written, and stored as it
//! will be sent. Later edits of the template change nothing that is pending.

use serde_json::{Map, Value, json};

use super::Setup;
use super::phase::Who;
use super::refusal::Refusal;
use crate::db::{AnyConnection, Json};
use crate::id::{EmailId, EmailTemplateId, LaneId};
use crate::instant::Instant;
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::application::Application;
use crate::model::email::{EmailRow, Mailbox};
use crate::model::email_template::EmailTemplate;
use crate::model::tenant::Tenant;
use crate::outbox::mail_lane;
use crate::render::{EmailTexts, RenderedEmail, Texts, render};
use crate::view::{self, Absent, ActionView, MailView, UserActionEvent};

/// A rendered mail, ready to be stored.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) row: EmailRow,
    pub(super) lane: LaneId,
    pub(super) view: MailView,
}

pub(super) struct MailInput<'a> {
    pub(super) setup: &'a Setup,
    pub(super) tenant: &'a Tenant,
    pub(super) who: &'a Who,
    pub(super) log: &'a ActionLog,
    pub(super) history: &'a [HistoryItem],
    pub(super) event: &'a UserActionEvent,
    pub(super) now: Instant,
}

impl MailInput<'_> {
    /// Renders the template for the actionee. The inner error is the template's, in words
    /// for an operator.
    pub(super) fn render(
        &self,
        connection: &mut AnyConnection,
        template: EmailTemplateId,
    ) -> Result<Result<Mail, String>, Refusal> {
        let Some(template) = EmailTemplate::find(connection, template)? else {
            return Ok(Err(format!("the email template {template} does not exist")));
        };
        let variables = self.variables(connection)?;
        let actionee = &self.who.actionee;
        let rendered = render(
            &texts(&template),
            &actionee.preferred_languages.0,
            &variables,
            actionee.timezone.as_deref(),
        );
        Ok(match rendered {
            Ok(rendered) => Ok(self.mail(&template, rendered)),
            Err(error) => Err(format!(
                "the email template [{}] could not be rendered for the action [{}] ({} of {}): {error}",
                template.name, self.log.name, self.event.phase, self.log.id
            )),
        })
    }

    /// What a template may name.
    fn variables(&self, connection: &mut AnyConnection) -> Result<Value, Refusal> {
        let actioner = self.who.actioner.as_ref();
        Ok(json!({
            "action": with_nulls(
                serde_json::to_value(ActionView::new(self.log, self.history, None)),
                ActionView::OPTIONAL,
            ),
            "actioner": actioner.map(|user| view::user(user, Absent::Null)),
            "application": self.application(connection)?,
            "baseUrl": self.setup.base_url,
            "event": with_nulls(serde_json::to_value(self.event), UserActionEvent::OPTIONAL),
            "tenant": view::tenant(self.tenant, Absent::Null),
            "user": view::user(&self.who.actionee, Absent::Null),
            "userAction": view::user_action(&self.who.definition, Absent::Null),
        }))
    }

    /// Only if exactly one application is in scope.
    fn application(&self, connection: &mut AnyConnection) -> Result<Option<Value>, Refusal> {
        let [id] = self.log.application_ids.0.as_slice() else {
            return Ok(None);
        };
        let application = Application::find(connection, *id)?;
        Ok(application.map(|application| view::application(&application, Absent::Null)))
    }

    fn mail(&self, template: &EmailTemplate, rendered: RenderedEmail) -> Mail {
        let id = EmailId::sequential();
        let from = self.sender(template, &rendered);
        let to: Vec<Mailbox> = self.recipient().into_iter().collect();
        let host = from
            .address
            .rsplit_once('@')
            .map_or("localhost", |(_, host)| host);
        let row = EmailRow {
            id,
            tenant_id: self.tenant.id,
            action_log_id: Some(self.log.id),
            event_id: Some(self.event.id),
            user_id: Some(self.who.actionee.id),
            template_id: Some(template.id),
            template_version: template.version,
            message_id: format!("<{id}@{host}>"),
            from_address: from.address.clone(),
            from_display: from.display.clone(),
            reply_to: None,
            to_addresses: Json(to.clone()),
            cc_addresses: Json(Vec::new()),
            bcc_addresses: Json(Vec::new()),
            subject: rendered.subject.text.clone(),
            html: rendered.html.text.clone(),
            text: rendered.text.text.clone(),
            headers: Json(additional_headers(self.tenant)),
            subject_locale: rendered.subject.locale,
            from_name_locale: rendered.from_name.and_then(|part| part.locale),
            html_locale: rendered.html.locale,
            text_locale: rendered.text.locale,
            insert_instant: self.now,
        };
        let view = MailView {
            attachments: Vec::new(),
            bcc: Vec::new(),
            cc: Vec::new(),
            from,
            html: rendered.html.text,
            reply_to: None,
            subject: rendered.subject.text,
            text: rendered.text.text,
            to,
        };
        Mail {
            row,
            lane: mail_lane(self.tenant),
            view,
        }
    }

    fn recipient(&self) -> Option<Mailbox> {
        let actionee = &self.who.actionee;
        Some(Mailbox {
            address: actionee.email.clone()?,
            display: actionee.display_name(),
        })
    }

    /// The template's sender, else the tenant's, else the server's; the name likewise.
    fn sender(&self, template: &EmailTemplate, rendered: &RenderedEmail) -> Mailbox {
        let tenant_address = self.tenant.email_setting("defaultFromEmail");
        let address = template.from_email.as_deref().or(tenant_address);
        let name = rendered
            .from_name
            .as_ref()
            .map(|part| part.text.as_str())
            .filter(|name| !name.is_empty())
            .or(self.tenant.email_setting("defaultFromName"));
        match address {
            Some(address) => Mailbox {
                address: address.to_owned(),
                display: name.map(str::to_owned),
            },
            None => Mailbox {
                address: self.setup.mail_from.address.clone(),
                display: name
                    .map(str::to_owned)
                    .or_else(|| self.setup.mail_from.display.clone()),
            },
        }
    }
}

fn texts(template: &EmailTemplate) -> EmailTexts {
    let variants = |default: &str, localized: &crate::locale::LocalizedText| Texts {
        default: default.to_owned(),
        localized: localized.clone(),
    };
    let from_name = Texts {
        default: template.default_from_name.clone(),
        localized: template.localized_from_names.0.clone(),
    };
    EmailTexts {
        subject: variants(&template.default_subject, &template.localized_subjects.0),
        from_name,
        html: variants(
            &template.default_html_template,
            &template.localized_html_templates.0,
        ),
        text: variants(
            &template.default_text_template,
            &template.localized_text_templates.0,
        ),
    }
}

/// Names that may be absent from the object exist as null.
fn with_nulls(value: serde_json::Result<Value>, names: &[&str]) -> Value {
    let mut map = match value {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for name in names {
        map.entry(*name).or_insert(Value::Null);
    }
    Value::Object(map)
}

/// `emailConfiguration.additionalHeaders` of the tenant.
fn additional_headers(tenant: &Tenant) -> Vec<(String, String)> {
    let headers = tenant.email_configuration.0.get("additionalHeaders");
    let Some(Value::Array(headers)) = headers else {
        return Vec::new();
    };
    let pair = |header: &Value| {
        let name = header.get("name")?.as_str()?;
        let value = header.get("value")?.as_str()?;
        Some((name.to_owned(), value.to_owned()))
    };
    headers.iter().filter_map(pair).collect()
}
