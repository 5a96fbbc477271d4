//! Telling people that a webhook was disabled: the event log, and a mail to its contact.

use diesel::QueryResult;
use handlebars::html_escape;

use super::{QueuedEmail, Setup, sender};
use crate::db::{AnyConnection, Json};
use crate::id::{DestinationId, EmailId, TenantId};
use crate::model::email::{EmailRow, Mailbox};
use crate::model::event_log::{EventLog, EventLogType};
use crate::model::tenant::Tenant;
use crate::model::webhook::{Webhook, origin_of};
use crate::outbox::{DestinationEvent, DisabledReason, mail_destination};
use crate::unix_millis::UnixMillis;

/// Tells people which webhooks were disabled. Call it in the transaction in which that comes
/// true.
pub(crate) fn tell_of_disabled(
    connection: &mut AnyConnection,
    events: &[(DestinationId, DestinationEvent)],
    setup: &Setup,
    now: UnixMillis,
) -> QueryResult<()> {
    for (destination, event) in events {
        if let DestinationEvent::Disabled(reason) = *event {
            tell(connection, *destination, reason, setup, now)?;
        }
    }
    Ok(())
}

fn tell(
    connection: &mut AnyConnection,
    destination: DestinationId,
    reason: DisabledReason,
    setup: &Setup,
    now: UnixMillis,
) -> QueryResult<()> {
    let Some(webhook) = Webhook::find(connection, destination.into())? else {
        return Ok(());
    };
    let notice = Notice {
        webhook: &webhook,
        reason,
        now,
    };
    EventLog::add(connection, now, EventLogType::Error, &notice.line())?;
    let Some(contact) = &webhook.contact_email else {
        return Ok(());
    };
    match tenant_of(connection, &webhook)? {
        Some(tenant) => notice.mail(setup, &tenant, contact).queue(connection),
        None => Ok(()),
    }
}

/// Whose server sends the mail: the operator's, else that of whom the webhook serves.
fn tenant_of(connection: &mut AnyConnection, webhook: &Webhook) -> QueryResult<Option<Tenant>> {
    if let Some(tenant) = Tenant::default_tenant(connection)? {
        return Ok(Some(tenant));
    }
    let tenants: Vec<TenantId> = Webhook::tenants(connection, webhook.id)?;
    match tenants.first() {
        Some(tenant) => Tenant::find(connection, *tenant),
        None => Ok(None),
    }
}

struct Notice<'a> {
    webhook: &'a Webhook,
    reason: DisabledReason,
    now: UnixMillis,
}

impl Notice<'_> {
    fn line(&self) -> String {
        format!(
            "the webhook {} ({}) was disabled: {}; its deliveries are held until it is enabled",
            self.webhook.id,
            origin_of(&self.webhook.url),
            self.why()
        )
    }

    fn why(&self) -> &'static str {
        match self.reason {
            DisabledReason::Gone => "it answered 410, which means that it is gone for good",
            DisabledReason::Failing => "nothing but failures for too long",
        }
    }

    fn paragraphs(&self) -> [String; 3] {
        let name = match self.webhook.description.as_deref().map(str::trim) {
            Some(description) if !description.is_empty() => format!(" ({description})"),
            _ => String::new(),
        };
        [
            format!(
                "The webhook {}{name} at {} has been disabled: {}.",
                self.webhook.id,
                origin_of(&self.webhook.url),
                self.why()
            ),
            "Nothing is lost. What is owed to it, and what comes meanwhile, is held and will be \
             delivered once it is enabled again."
                .to_owned(),
            format!(
                "When the receiver works again, enable it: POST /api/webhook/{}/enable",
                self.webhook.id
            ),
        ]
    }

    fn mail(&self, setup: &Setup, tenant: &Tenant, contact: &str) -> QueuedEmail {
        let id = EmailId::sequential();
        let from = sender(setup, Some(tenant), None, None);
        let host = from.address.rsplit_once('@');
        let host = host.map_or("localhost", |(_, host)| host);
        let paragraphs = self.paragraphs();
        let html: String = paragraphs
            .iter()
            .map(|paragraph| format!("<p>{}</p>\n", html_escape(paragraph)))
            .collect();
        let row = EmailRow {
            id,
            tenant_id: tenant.id,
            action_log_id: None,
            event_id: None,
            user_id: None,
            preferred_languages: Json(Vec::new()),
            template_id: None,
            template_version: 0,
            message_id: format!("<{id}@{host}>"),
            from_address: from.address,
            from_display: from.display,
            reply_to: None,
            to_addresses: Json(vec![Mailbox {
                address: contact.to_owned(),
                display: None,
            }]),
            cc_addresses: Json(Vec::new()),
            bcc_addresses: Json(Vec::new()),
            subject: format!("The webhook {} has been disabled", self.webhook.id),
            html,
            text: paragraphs.join("\n\n") + "\n",
            headers: Json(Vec::new()),
            subject_locale: None,
            from_name_locale: None,
            html_locale: None,
            text_locale: None,
            insert_instant: self.now,
        };
        QueuedEmail {
            row,
            destination: mail_destination(tenant.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::WebhookId;
    use crate::test_support;

    #[test]
    fn the_path_of_a_webhook_is_told_to_nobody() {
        for url in [
            "https://hooks.slack.example/services/T0/B0/s3cret",
            "https://u:s3cret@hooks.slack.example/a?token=s3cret#s3cret",
        ] {
            let mut webhook = test_support::webhook(WebhookId::random(), Vec::new());
            webhook.url = url.to_owned();
            let notice = Notice {
                webhook: &webhook,
                reason: DisabledReason::Gone,
                now: UnixMillis::from_millis(0),
            };
            let told = notice.line() + &notice.paragraphs().concat();
            assert!(told.contains("https://hooks.slack.example"), "{told}");
            assert!(told.contains(&webhook.id.to_string()), "{told}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }
}
