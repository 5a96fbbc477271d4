//! From rendered parts to a mail: sender, recipients, headers.

use serde_json::Value;
use url::Url;

use super::Setup;
use crate::db::Json;
use crate::id::{ActionLogId, DestinationId, EmailId, EventId, UserId};
use crate::locale::{Locale, LocalizedText};
use crate::model::email::{EmailRow, Mailbox};
use crate::model::email_template::EmailTemplate;
use crate::model::tenant::Tenant;
use crate::outbox::mail_destination;
use crate::render::{EmailTexts, RenderedEmail, Renderer, TemplateError, Texts, on_one_line};
use crate::unix_millis::UnixMillis;
use crate::view::MailView;

const LIST_UNSUBSCRIBE: &str = "List-Unsubscribe";
const LIST_UNSUBSCRIBE_POST: &str = "List-Unsubscribe-Post";

/// A rendered mail, ready to be stored and to be shown.
#[derive(Debug, Clone)]
pub struct QueuedEmail {
    /// As it is stored.
    pub row: EmailRow,
    /// What its deliveries queue behind.
    pub destination: DestinationId,
}

/// What a mail is made of, beside its rendered parts.
#[derive(Debug, Clone)]
pub struct EmailDraft<'a> {
    /// Settings of the server.
    pub setup: &'a Setup,
    /// Whose server sends it.
    pub tenant: &'a Tenant,
    /// What it was rendered from.
    pub template: &'a EmailTemplate,
    /// The log it tells of.
    pub action_log: Option<ActionLogId>,
    /// The event of the same phase.
    pub event: Option<EventId>,
    /// The user it is for.
    pub user: Option<UserId>,
    /// Recipients.
    pub to: Vec<Mailbox>,
    /// Copies.
    pub cc: Vec<Mailbox>,
    /// Blind copies.
    pub bcc: Vec<Mailbox>,
    /// What the reader asked for, best first.
    pub languages: &'a [Locale],
    /// Where the reader may say that they want no more of it.
    pub unsubscribe: Option<Url>,
    /// The clock.
    pub now: UnixMillis,
}

impl EmailDraft<'_> {
    /// The mail with these parts.
    #[must_use]
    pub fn mail(self, rendered: RenderedEmail) -> QueuedEmail {
        let id = EmailId::sequential();
        let name = rendered.from_name.as_ref().map(|part| part.text.as_str());
        let from = sender(
            self.setup,
            Some(self.tenant),
            self.template.from_email.as_deref(),
            name,
        );
        let host = from
            .address
            .rsplit_once('@')
            .map_or("localhost", |(_, host)| host);
        let row = EmailRow {
            id,
            tenant_id: self.tenant.id,
            action_log_id: self.action_log,
            event_id: self.event,
            user_id: self.user,
            template_id: Some(self.template.id),
            template_version: self.template.version,
            message_id: format!("<{id}@{host}>"),
            from_address: from.address,
            from_display: from.display,
            reply_to: None,
            to_addresses: Json(self.to),
            cc_addresses: Json(self.cc),
            bcc_addresses: Json(self.bcc),
            subject: rendered.subject.text,
            html: rendered.html.text,
            text: rendered.text.text,
            headers: Json(headers(self.tenant, self.unsubscribe.as_ref())),
            subject_locale: rendered.subject.locale,
            from_name_locale: rendered.from_name.and_then(|part| part.locale),
            html_locale: rendered.html.locale,
            text_locale: rendered.text.locale,
            insert_instant: self.now,
            preferred_languages: Json(self.languages.to_vec()),
        };
        QueuedEmail {
            row,
            destination: mail_destination(self.tenant.id),
        }
    }
}

impl QueuedEmail {
    /// The mail as events and previews show it.
    #[must_use]
    pub fn view(&self) -> MailView {
        let row = &self.row;
        MailView {
            attachments: Vec::new(),
            bcc: row.bcc_addresses.0.clone(),
            cc: row.cc_addresses.0.clone(),
            from: Mailbox {
                address: row.from_address.clone(),
                display: row.from_display.clone(),
            },
            html: row.html.clone(),
            reply_to: None,
            subject: row.subject.clone(),
            text: row.text.clone(),
            to: row.to_addresses.0.clone(),
        }
    }
}

/// The template's sender, else the tenant's, else the server's; the name likewise.
#[must_use]
pub fn sender(
    setup: &Setup,
    tenant: Option<&Tenant>,
    address: Option<&str>,
    name: Option<&str>,
) -> Mailbox {
    let setting = |name| tenant.and_then(|tenant| tenant.email_setting(name));
    let name = name
        .filter(|name| !name.is_empty())
        .or(setting("defaultFromName"))
        .map(on_one_line);
    match address.or(setting("defaultFromEmail")) {
        Some(address) => Mailbox {
            address: address.to_owned(),
            display: name,
        },
        None => Mailbox {
            address: setup.mail_from.address.clone(),
            display: name.or_else(|| setup.mail_from.display.clone()),
        },
    }
}

/// The texts of a template, as the renderer takes them.
#[must_use]
pub fn texts(template: &EmailTemplate) -> EmailTexts {
    EmailTexts {
        subject: variants(&template.default_subject, &template.localized_subjects.0),
        from_name: Texts {
            default: template.default_from_name.clone(),
            localized: template.localized_from_names.0.clone(),
        },
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

fn variants(default: &str, localized: &LocalizedText) -> Texts<String> {
    Texts {
        default: default.to_owned(),
        localized: localized.clone(),
    }
}

/// What `emailConfiguration.listUnsubscribe` of the tenant comes to for a reader. Nothing
/// for somebody who is no user: there is nothing that they could unsubscribe from.
///
/// # Errors
/// What is wrong with it.
pub fn unsubscribe(
    tenant: &Tenant,
    renderer: &mut Renderer<'_>,
) -> Result<Option<Url>, TemplateError> {
    let user = renderer.variables().get("user");
    let is_user = user.is_some_and(Value::is_object);
    let template = tenant.email_setting("listUnsubscribe").filter(|_| is_user);
    template
        .map(|template| renderer.unsubscribe_uri(template))
        .transpose()
}

/// The headers that a tenant adds, and those for unsubscribing, which come first.
fn headers(tenant: &Tenant, unsubscribe: Option<&Url>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    if let Some(uri) = unsubscribe {
        headers.push((LIST_UNSUBSCRIBE.to_owned(), format!("<{uri}>")));
        if uri.scheme() == "https" {
            let one_click = "List-Unsubscribe=One-Click".to_owned();
            headers.push((LIST_UNSUBSCRIBE_POST.to_owned(), one_click));
        }
    }
    let is_ours = |name: &str| {
        let ours = [LIST_UNSUBSCRIBE, LIST_UNSUBSCRIBE_POST];
        unsubscribe.is_some() && ours.iter().any(|our| our.eq_ignore_ascii_case(name))
    };
    let additional = additional_headers(tenant);
    headers.extend(additional.into_iter().filter(|(name, _)| !is_ours(name)));
    headers
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
