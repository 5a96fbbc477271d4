//! What is remembered of refusals: addresses that a server refused for good, so that they
//! are left alone, and logins that it refused, so that somebody mends them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use beadle_common::db::{AnyConnection, Db, DbError};
use beadle_common::id::{DeliveryId, TenantId};
use beadle_common::model::event_log::{EventLog, EventLogType};
use beadle_common::model::normalize;
use beadle_common::model::suppression::Suppression;
use beadle_common::outbox::{Claimed, Payload, is_still_owed};
use beadle_common::unix_millis::UnixMillis;
use diesel::QueryResult;

use super::{MailTarget, NamedBy};
use crate::core::Unsendable;
use crate::core::outcome::{ErrorClass, Failure, FailureKind};

/// How often the same refused login is put into the event log.
const ANNOUNCED_EVERY: Duration = Duration::from_secs(60 * 60);

/// Writes refusals down.
#[derive(Debug)]
pub struct RefusalLog {
    db: Db,
    suppress_for: Duration,
    /// When the refused login of a server was announced last, by its name and, unless it is
    /// the operator's, by the tenant: each has a login of its own.
    announced: Mutex<HashMap<Login, UnixMillis>>,
}

type Login = (Option<TenantId>, String);

/// A mail that a server refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) tenant: TenantId,
    pub(super) delivery: DeliveryId,
    pub(super) recipient: &'a str,
    pub(super) target: &'a MailTarget,
    pub(super) failure: &'a Failure,
}

impl RefusalLog {
    /// A log in this database; addresses are left alone this long, or not at all if zero.
    #[must_use]
    pub fn new(db: Db, suppress_for: Duration) -> Self {
        Self {
            db,
            suppress_for,
            announced: Mutex::default(),
        }
    }

    /// Takes down what is worth remembering. The mail's own fate does not depend on it: a
    /// database that is away costs the note, and the next refusal brings it back.
    pub(super) async fn take(&self, refused: &Refused<'_>, now: UnixMillis) {
        let noted = match refused.failure.kind {
            FailureKind::BadRecipient => self.suppress(refused, now).await,
            FailureKind::Credentials => self.announce(refused, now).await,
            _ => Ok(()),
        };
        if let Err(error) = noted {
            tracing::warn!("cannot take down what the mail server refused: {error}");
        }
    }

    /// Only what the server itself said counts: an address that cannot be written on the
    /// wire is refused here each time, without asking anybody.
    async fn suppress(&self, refused: &Refused<'_>, now: UnixMillis) -> Result<(), DbError> {
        let Some(status) = refused.failure.status_code else {
            return Ok(());
        };
        if self.suppress_for.is_zero() {
            return Ok(());
        }
        let suppression = Suppression {
            tenant_id: refused.tenant,
            address_normalized: normalize(refused.recipient),
            address: refused.recipient.to_owned(),
            delivery_id: refused.delivery,
            status_code: Some(status.into()),
            // PostgreSQL takes no zero bytes.
            reason: refused.failure.message.replace('\0', "\u{fffd}"),
            insert_instant: now,
            expiration_instant: now.plus(self.suppress_for),
        };
        // An address that was erased while the mail was on its way is not written down again.
        self.db
            .write(move |connection| {
                if is_still_owed(connection, suppression.delivery_id)? {
                    suppression.put(connection)?;
                }
                Ok::<_, DbError>(())
            })
            .await
    }

    async fn announce(&self, refused: &Refused<'_>, now: UnixMillis) -> Result<(), DbError> {
        let MailTarget::Smtp(server) = refused.target else {
            return Ok(());
        };
        let name = format!("{}:{}", server.host, server.port);
        let (whose, login) = match server.named_by {
            NamedBy::Operator => (None, "the login of `BEADLE_MAIL`".to_owned()),
            NamedBy::Tenant => (
                Some(refused.tenant),
                format!("the login that the tenant [{}] has for it", refused.tenant),
            ),
        };
        let message = format!(
            "the mail server [{name}] refuses {login}; the mail waits: {}",
            refused.failure.message
        )
        .replace('\0', "\u{fffd}");
        if !self.is_news((whose, name), now) {
            return Ok(());
        }
        tracing::error!("{message}");
        self.db
            .write(move |connection| {
                let error = EventLogType::Error;
                Ok::<_, DbError>(EventLog::add(connection, now, error, &message)?)
            })
            .await
    }

    fn is_news(&self, login: Login, now: UnixMillis) -> bool {
        let mut announced = self
            .announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        announced.retain(|_, at| now < at.plus(ANNOUNCED_EVERY));
        if announced.contains_key(&login) {
            return false;
        }
        announced.insert(login, now);
        true
    }
}

/// What is suppressed of a batch.
#[derive(Debug)]
pub(super) struct Suppressed(HashMap<(TenantId, String), Suppression>);

impl Suppressed {
    pub(super) fn load(
        connection: &mut AnyConnection,
        claimed: &[Claimed],
        now: UnixMillis,
    ) -> QueryResult<Self> {
        let recipients = claimed.iter().filter_map(|claimed| match &claimed.payload {
            Payload::Email(_, recipient) => Some(recipient.as_str()),
            Payload::Webhook(_) => None,
        });
        let found = Suppression::of_addresses(connection, recipients, now)?;
        let by_address =
            |found: Suppression| ((found.tenant_id, found.address_normalized.clone()), found);
        Ok(Self(found.into_iter().map(by_address).collect()))
    }

    /// Refuses an address that is suppressed. The message does not repeat it, since it goes
    /// to the log too.
    pub(super) fn check(&self, tenant: TenantId, recipient: &str) -> Result<(), Unsendable> {
        let Some(found) = self.0.get(&(tenant, normalize(recipient))) else {
            return Ok(());
        };
        let message = format!(
            "the address is suppressed, since a mail server refused it for good in the delivery {}; `GET /api/email/suppression` tells until when, `DELETE /api/email/suppression/{{address}}` lifts it",
            found.delivery_id
        );
        let failure = Failure::new(ErrorClass::Smtp, message)
            .kind(FailureKind::BadRecipient)
            .status(found.status_code.and_then(|code| u16::try_from(code).ok()));
        Err(Unsendable::Unwanted(failure))
    }
}
