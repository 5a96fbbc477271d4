//! Asks webhooks before an action happens: the first attempt to deliver its event, to all
//! of them at once, made by whoever is about to commit it. What a webhook is sent, and how,
//! is the same as in every later attempt.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use beadle_common::db::{AnyConnection, Db, DbError};
use beadle_common::id::WebhookId;
use beadle_common::instant::Instant;
use beadle_common::lifecycle::{FirstAttempt, FirstAttempts, Question};
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox::{DeliveryState, Verdict};
use beadle_common::seal::Sealer;
use bytes::Bytes;
use diesel::QueryResult;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tracing::Instrument as _;

use crate::attempt::record;
use crate::drain::{Clock, Courier as _, Jitter, Unsendable};
use crate::outcome::{ErrorClass, Exchange, Failure, Outcome};
use crate::policy::Next;
use crate::run;
use crate::settings::{SettingsError, WorkerSettings};
use crate::webhook::WebhookCourier;
use crate::webhook::courier::Parcel;

/// Asks webhooks. Share one: it holds the pools of connections.
#[derive(Clone)]
pub struct Inquirer {
    courier: Arc<WebhookCourier>,
    clock: Clock,
    jitter: Jitter,
}

impl std::fmt::Debug for Inquirer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inquirer")
            .field("courier", &self.courier)
            .finish_non_exhaustive()
    }
}

/// An event as a webhook is sent it. None: the webhook is disabled, and is not.
type Addressed = (WebhookId, Option<Result<Parcel, Unsendable>>);

impl Inquirer {
    /// One that sends as the worker does.
    ///
    /// # Errors
    /// [`SettingsError`] if the certificate authorities cannot be used.
    pub fn new(settings: &WorkerSettings, sealer: Sealer) -> Result<Self, SettingsError> {
        Ok(Self {
            courier: Arc::new(run::webhook_courier(settings, sealer)?),
            clock: Arc::new(Instant::now),
            jitter: run::jitter(),
        })
    }

    /// Sends the event to every webhook that it is for, and waits for all of them: no longer
    /// than the longest of their time limits. No transaction is open meanwhile.
    ///
    /// # Errors
    /// Those of the database; nothing has been sent then.
    pub async fn ask(&self, db: &Db, question: Question) -> Result<FirstAttempts, DbError> {
        let span = tracing::info_span!("question", event.id = %question.event);
        let courier = Arc::clone(&self.courier);
        let now = (self.clock)();
        let address = move |connection: &mut AnyConnection| {
            Ok::<_, DbError>(address(&courier, connection, question, now)?)
        };
        let attempts = db
            .read(address)
            .await?
            .into_iter()
            .map(|(webhook, parcel)| self.attempt(webhook, parcel));
        let answers = join_all(attempts).instrument(span).await;
        Ok(FirstAttempts(answers.into_iter().flatten().collect()))
    }

    /// One webhook's answer. None: it was deleted a moment ago.
    async fn attempt(
        &self,
        webhook: WebhookId,
        parcel: Option<Result<Parcel, Unsendable>>,
    ) -> Option<(WebhookId, FirstAttempt)> {
        let started = (self.clock)();
        let answer = match parcel {
            None => FirstAttempt::NotMade,
            Some(Ok(parcel)) => {
                let exchange = self.send(parcel, started).await;
                self.judge(webhook, started, &exchange)
            }
            Some(Err(Unsendable::Gone)) => return None,
            Some(Err(Unsendable::NotNow(failure))) => {
                self.judge(webhook, started, &Exchange::failed(failure))
            }
            Some(Err(Unsendable::Broken(failure) | Unsendable::Unwanted(failure))) => {
                tracing::error!(webhook.id = %webhook, "cannot be sent: {}", failure.message);
                FirstAttempt::Made {
                    record: record(started, &Exchange::failed(failure)),
                    verdict: Verdict::Finished(DeliveryState::Exhausted),
                }
            }
        };
        Some((webhook, answer))
    }

    /// One webhook's panic must not cost the answers of the others.
    async fn send(&self, parcel: Parcel, now: Instant) -> Exchange {
        let sending = AssertUnwindSafe(self.courier.send(parcel, now)).catch_unwind();
        sending.await.unwrap_or_else(|_| {
            let message = "the server failed while it was sending";
            Exchange::failed(Failure::new(ErrorClass::Unknown, message))
        })
    }

    fn judge(&self, webhook: WebhookId, started: Instant, exchange: &Exchange) -> FirstAttempt {
        let verdict = match &exchange.outcome {
            Outcome::Delivered => Verdict::Finished(DeliveryState::Delivered),
            Outcome::Failed(failure) => {
                tracing::info!(webhook.id = %webhook, "did not agree: {}", failure.message);
                self.after(failure)
            }
        };
        FirstAttempt::Made {
            record: record(started, exchange),
            verdict,
        }
    }

    /// What follows a failure if the others agree.
    fn after(&self, failure: &Failure) -> Verdict {
        let now = (self.clock)().millis();
        let jitter = (self.jitter)();
        match self
            .courier
            .schedule
            .next(1, jitter, failure.retry_after, now)
        {
            Next::Retry { at_millis } => Verdict::Retry {
                at: Instant::from_millis(at_millis),
            },
            Next::Exhausted => Verdict::Finished(DeliveryState::Exhausted),
        }
    }
}

/// The event for each webhook that wants it.
fn address(
    courier: &WebhookCourier,
    connection: &mut AnyConnection,
    question: Question,
    now: Instant,
) -> QueryResult<Vec<Addressed>> {
    let webhooks = Webhook::for_user_action(connection, question.tenant)?;
    let disabled = Webhook::disabled_among(connection, &webhooks)?;
    let body = Bytes::from(question.body);
    let parcels = courier.address(connection, &webhooks, question.event, &body, now)?;
    let unless_disabled = |(webhook, parcel)| {
        let called = !disabled.contains(&webhook);
        (webhook, called.then_some(parcel))
    };
    Ok(parcels.into_iter().map(unless_disabled).collect())
}

#[cfg(test)]
#[path = "inquiry_tests.rs"]
mod tests;
