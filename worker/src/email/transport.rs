//! From a claimed delivery to a message on its way to one recipient.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use beadle_common::db::AnyConnection;
use beadle_common::id::{DeliveryId, EmailId, TenantId};
use beadle_common::model::email::{EmailRow, Mailbox as StoredMailbox};
use beadle_common::model::tenant::Tenant;
use beadle_common::outbox::{Claimed, Kind, Payload};
use beadle_common::seal::Sealer;
use beadle_common::unix_millis::UnixMillis;
use diesel::QueryResult;
use serde_json::Value;

use super::dkim::Signers;
use super::refusal_log::{RefusalLog, Refused, Suppressed};
use super::{
    MailTarget, Mailbox, Mailer, NamedBy, OutgoingEmail, PreparedMail, Security, SmtpTarget,
};
use crate::core::Unsendable;
use crate::core::outcome::{ErrorClass, Exchange, Failure, FailureKind, Outcome};
use crate::core::policy::RetrySchedule;
use crate::dispatcher::{Loaded, Server, Transport};

/// Port of a tenant's server that names none.
const SMTP_PORT: u16 = 25;

/// How long a server that refuses our login is left alone: until somebody mends it, each
/// try is in vain, and some servers lock out who tries often.
const LOGIN_REST: Duration = Duration::from_secs(60);

/// Delivers emails.
#[derive(Debug)]
pub struct MailTransport {
    /// Hands messages over.
    pub mailer: Mailer,
    /// Where mail goes when the tenant has no server of its own.
    pub default_target: Arc<MailTarget>,
    /// Opens passwords.
    pub sealer: Sealer,
    /// When to try again.
    pub schedule: RetrySchedule,
    /// Where refused addresses and refused logins are noted.
    pub notes: RefusalLog,
}

/// One message for one recipient.
#[derive(Debug)]
pub struct MailJob {
    target: Arc<MailTarget>,
    email: Arc<Message>,
    recipient: String,
    delivery: DeliveryId,
}

/// A message, made once for all its recipients.
#[derive(Debug)]
struct Message {
    tenant: TenantId,
    id: String,
    from: String,
    bytes: Vec<u8>,
}

impl Transport for MailTransport {
    const KIND: Kind = Kind::Email;
    type Job = MailJob;

    fn load(
        &self,
        connection: &mut AnyConnection,
        claimed: Vec<Claimed>,
        now: UnixMillis,
    ) -> QueryResult<Loaded<MailJob>> {
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let emails = load_emails(connection, &claimed)?;
        let tenants = load_tenants(connection, &emails)?;
        let targets: Targets = tenants
            .iter()
            .map(|tenant| (tenant.id, self.target(tenant)))
            .collect();
        let signers = Signers::load(connection, &self.sealer, &tenants)?;
        let suppressed = Suppressed::load(connection, &claimed, now)?;
        let messages: HashMap<EmailId, _> = emails
            .iter()
            .map(|email| (email.id, message(email, &signers).map(Arc::new)))
            .collect();
        let tenants: HashMap<EmailId, TenantId> = emails
            .iter()
            .map(|email| (email.id, email.tenant_id))
            .collect();
        let job = |claimed: &Claimed| {
            let Payload::Email(id, recipient) = &claimed.payload else {
                return Err(Unsendable::Gone);
            };
            let message = messages.get(id).ok_or(Unsendable::Gone)?;
            let tenant = tenants.get(id).ok_or(Unsendable::Gone)?;
            let target = targets.get(tenant).ok_or(Unsendable::Gone)?;
            suppressed.check(*tenant, recipient)?;
            Ok(MailJob {
                target: Arc::clone(target.as_ref().map_err(Clone::clone)?),
                email: Arc::clone(message.as_ref().map_err(Clone::clone)?),
                recipient: recipient.clone(),
                delivery: claimed.id,
            })
        };
        Ok(claimed
            .into_iter()
            .map(|claimed| {
                let job = job(&claimed);
                (claimed, job)
            })
            .collect())
    }

    fn weight(&self, job: &MailJob) -> usize {
        job.email.bytes.len()
    }

    fn server(&self, job: &MailJob) -> Option<Server> {
        job.target.server()
    }

    fn time_limit(&self, _letter: &MailJob) -> Duration {
        self.mailer.time_limit()
    }

    async fn send(&self, job: MailJob, now: UnixMillis) -> Exchange {
        let mail = PreparedMail {
            message_id: &job.email.id,
            envelope_from: &job.email.from,
            recipient: &job.recipient,
            message: &job.email.bytes,
        };
        let mut exchange = self.mailer.deliver(&job.target, mail).await;
        if let Outcome::Failed(failure) = &mut exchange.outcome {
            if failure.kind == FailureKind::Credentials {
                failure.retry_after = failure.retry_after.max(Some(LOGIN_REST));
            }
            let refused = Refused {
                tenant: job.email.tenant,
                delivery: job.delivery,
                recipient: &job.recipient,
                target: &job.target,
                failure,
            };
            self.notes.take(&refused, now).await;
        }
        exchange
    }

    fn schedule(&self) -> &RetrySchedule {
        &self.schedule
    }
}

type Targets = HashMap<TenantId, Result<Arc<MailTarget>, Unsendable>>;

impl MailTransport {
    /// The tenant's own server, else the default.
    fn target(&self, tenant: &Tenant) -> Result<Arc<MailTarget>, Unsendable> {
        let Some(host) = tenant.email_setting("host") else {
            return Ok(Arc::clone(&self.default_target));
        };
        let port = tenant.email_configuration.0.get("port");
        let port = port
            .and_then(Value::as_u64)
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or(SMTP_PORT);
        let security = match tenant.email_setting("security") {
            Some("SSL") => Security::Ssl,
            Some("TLS") => Security::StartTls,
            _ => Security::None,
        };
        let credentials = match (tenant.email_setting("username"), &tenant.smtp_password) {
            (Some(user), Some(password)) => {
                let password = self
                    .sealer
                    .open_text(Tenant::password_place(tenant.id), password)
                    .map_err(|error| Unsendable::sealed("password of the mail server", &error))?;
                Some((user.to_owned(), password))
            }
            _ => None,
        };
        Ok(Arc::new(MailTarget::Smtp(SmtpTarget {
            host: host.to_owned(),
            port,
            security,
            credentials,
            named_by: NamedBy::Tenant,
        })))
    }
}

fn load_tenants(connection: &mut AnyConnection, emails: &[EmailRow]) -> QueryResult<Vec<Tenant>> {
    let mut ids: Vec<TenantId> = emails.iter().map(|email| email.tenant_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Tenant::load(connection, &ids)
}

fn load_emails(connection: &mut AnyConnection, claimed: &[Claimed]) -> QueryResult<Vec<EmailRow>> {
    let email = |claimed: &Claimed| match claimed.payload {
        Payload::Email(email, _) => Some(email),
        Payload::Webhook(_) => None,
    };
    let mut ids: Vec<EmailId> = claimed.iter().filter_map(email).collect();
    ids.sort_unstable();
    ids.dedup();
    EmailRow::load(connection, &ids)
}

/// The stored mail as a message: the same bytes on every attempt.
fn message(email: &EmailRow, signers: &Signers) -> Result<Message, Unsendable> {
    let mailboxes = |stored: &[StoredMailbox]| stored.iter().cloned().map(mailbox).collect();
    let outgoing = OutgoingEmail {
        message_id: email.message_id.clone(),
        date_millis: email.insert_instant.millis(),
        from: Mailbox {
            address: email.from_address.clone(),
            display: email.from_display.clone(),
        },
        reply_to: email.reply_to.clone().map(|address| Mailbox {
            address,
            display: None,
        }),
        to: mailboxes(&email.to_addresses.0),
        cc: mailboxes(&email.cc_addresses.0),
        subject: email.subject.clone(),
        text: email.text.clone(),
        html: email.html.clone(),
        headers: email.headers.0.clone(),
    };
    match outgoing.to_bytes() {
        Ok(bytes) => Ok(Message {
            tenant: email.tenant_id,
            id: email.message_id.clone(),
            from: email.from_address.clone(),
            bytes: signers.sign(email, bytes)?,
        }),
        Err(error) => Err(Unsendable::Broken(Failure::new(
            ErrorClass::Render,
            format!("the mail cannot become a message: {error}"),
        ))),
    }
}

fn mailbox(stored: StoredMailbox) -> Mailbox {
    Mailbox {
        address: stored.address,
        display: stored.display,
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod snapshot_tests;
