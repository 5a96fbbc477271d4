//! The mail of a phase: rendered once, before anything is written, and stored as it
//! will be sent. Later edits of the template change nothing that is pending.

use serde_json::Value;
use url::Url;

use super::Setup;
use super::reader::Who;
use super::refusal::Refusal;
use crate::db::AnyConnection;
use crate::id::EmailTemplateId;
use crate::mail::{EmailDraft, QueuedEmail, Variables, texts, unsubscribe, with_nulls};
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::application::Application;
use crate::model::email_template::EmailTemplate;
use crate::model::registration::Registration;
use crate::model::tenant::Tenant;
use crate::model::user::User;
use crate::render::{RenderedEmail, Renderer};
use crate::unix_millis::UnixMillis;
use crate::view::{self, Absent, ActionView, UserActionEvent};

pub(super) struct MailInput<'a> {
    pub(super) setup: &'a Setup,
    pub(super) tenant: &'a Tenant,
    pub(super) who: &'a Who,
    pub(super) log: &'a ActionLog,
    pub(super) history: &'a [HistoryItem],
    pub(super) event: &'a UserActionEvent,
    pub(super) now: UnixMillis,
}

impl MailInput<'_> {
    /// Renders the template for the actionee. The inner error is the template's, in words
    /// for an operator; beside a mail it tells what that goes without.
    pub(super) fn render(
        &self,
        connection: &mut AnyConnection,
        template: EmailTemplateId,
    ) -> Result<Result<(QueuedEmail, Option<String>), String>, Refusal> {
        let Some(template) = EmailTemplate::find(connection, template)? else {
            return Ok(Err(format!("the email template {template} does not exist")));
        };
        let actionee = &self.who.actionee;
        let texts = texts(&template);
        let mut renderer = Renderer::new(&texts, self.variables(connection)?);
        let rendered = renderer.email(
            &actionee.preferred_languages.0,
            actionee.timezone.as_deref(),
        );
        Ok(match rendered {
            Ok(rendered) => {
                let unsubscribe = unsubscribe(self.tenant, &mut renderer);
                let fault = unsubscribe.as_ref().err().map(|fault| {
                    format!(
                        "a mail of the action [{}] ({} of {}) goes without `List-Unsubscribe`: {fault}",
                        self.log.name, self.event.phase, self.log.id
                    )
                });
                Ok((
                    self.mail(&template, rendered, unsubscribe.ok().flatten()),
                    fault,
                ))
            }
            Err(error) => Err(format!(
                "the email template [{}] could not be rendered for the action [{}] ({} of {}): {error}",
                template.name, self.log.name, self.event.phase, self.log.id
            )),
        })
    }

    /// What a template may name.
    fn variables(&self, connection: &mut AnyConnection) -> Result<Value, Refusal> {
        let actioner = self.who.actioner.as_ref();
        let actioner = actioner
            .map(|user| user_view(connection, user))
            .transpose()?;
        let variables = Variables {
            action: with_nulls(
                serde_json::to_value(ActionView::new(self.log, self.history, None)),
                ActionView::OPTIONAL,
            ),
            actioner: actioner.unwrap_or_default(),
            application: self.application(connection)?.unwrap_or_default(),
            base_url: self.setup.base_url.clone().into(),
            event: event_variable(self.event),
            request_data: Value::Null,
            tenant: view::tenant(self.tenant, Absent::Null).into_value(),
            user: user_view(connection, &self.who.actionee)?,
            user_action: view::user_action(&self.who.definition, Absent::Null).into_value(),
        };
        Ok(variables.into_json())
    }

    /// Only if exactly one application is in scope.
    fn application(&self, connection: &mut AnyConnection) -> Result<Option<Value>, Refusal> {
        let [id] = self.log.application_ids.0.as_slice() else {
            return Ok(None);
        };
        let application = Application::find(connection, *id)?;
        Ok(application
            .map(|application| view::application(&application, Absent::Null).into_value()))
    }

    fn mail(
        &self,
        template: &EmailTemplate,
        rendered: RenderedEmail,
        unsubscribe: Option<Url>,
    ) -> QueuedEmail {
        let letter = EmailDraft {
            setup: self.setup,
            tenant: self.tenant,
            template,
            action_log: Some(self.log.id),
            event: Some(self.event.id),
            user: Some(self.who.actionee.id),
            to: self.who.actionee.mailbox().into_iter().collect(),
            cc: Vec::new(),
            bcc: Vec::new(),
            languages: &self.who.actionee.preferred_languages.0,
            unsubscribe,
            now: self.now,
        };
        letter.mail(rendered)
    }
}

/// A user as templates see them.
fn user_view(connection: &mut AnyConnection, user: &User) -> Result<Value, Refusal> {
    let registrations = Registration::of_user(connection, user.id)?;
    Ok(view::registered_user(user, &registrations, Absent::Null).into_value())
}

/// The event as templates see it. `info` holds what the caller knew; what it did not is
/// no mistake of the template's author.
fn event_variable(event: &UserActionEvent) -> Value {
    let mut event = with_nulls(serde_json::to_value(event), UserActionEvent::OPTIONAL);
    if let Some(info) = event.get_mut("info") {
        *info = with_nulls(Ok(info.take()), UserActionEvent::INFO);
    }
    event
}
