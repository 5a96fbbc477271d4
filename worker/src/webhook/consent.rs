//! Asks webhooks before an action happens: the first attempt to deliver its event, to all
//! of them at once, made by whoever is about to commit it. What a webhook is sent, and how,
//! is the same as in every later attempt, and so is what its answer says about it: the
//! workers know, and a webhook that they leave alone is not called here either.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use beadle_common::db::{AnyConnection, Db, DbError};
use beadle_common::id::{DestinationId, WebhookId};
use beadle_common::lifecycle::{ConsentRequest, FirstAttempt, FirstAttempts};
use beadle_common::model::webhook::Webhook;
use beadle_common::outbox::{
    DeliveryState, DestinationState, Disposition, Kind, PeerSignal, UnclaimedAttempt,
    destination_states,
};
use beadle_common::settlement::{DestinationPolicy, take_note};
use beadle_common::unix_millis::UnixMillis;
use bytes::Bytes;
use diesel::QueryResult;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tracing::Instrument as _;

use crate::core::outcome::{ErrorClass, Exchange, Failure, Outcome};
use crate::core::signal::{after_failure, peer_signal, record};
use crate::core::{Clock, Jitter, Unsendable};
use crate::dispatcher::Transport as _;
use crate::dispatcher::destination_log::log;
use crate::metrics::Metrics;
use crate::webhook::WebhookTransport;
use crate::webhook::transport::Job;

/// Asks webhooks. Share one: it holds the pools of connections.
#[derive(Clone)]
pub struct ConsentClient {
    pub(crate) transport: Arc<WebhookTransport>,
    pub(crate) clock: Clock,
    pub(crate) jitter: Jitter,
    pub(crate) policy: DestinationPolicy,
    pub(crate) metrics: Metrics,
}

impl std::fmt::Debug for ConsentClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsentClient")
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

/// An event, ready for a webhook.
struct Addressed {
    webhook: WebhookId,
    /// None: the webhook is left alone.
    job: Option<Result<Job, Unsendable>>,
    /// A success would be news.
    is_failing: bool,
}

/// What a webhook said, and what that says about it.
struct Answered {
    attempt: FirstAttempt,
    said: UnclaimedAttempt,
}

impl ConsentClient {
    /// Sends the event to every webhook that it is for, and waits for all of them: no longer
    /// than the longest of their time limits. No transaction is open meanwhile.
    ///
    /// # Errors
    /// Those of the database; nothing has been sent then.
    pub async fn ask(&self, db: &Db, request: ConsentRequest) -> Result<FirstAttempts, DbError> {
        let span = tracing::info_span!("consent", event.id = %request.event);
        let transport = Arc::clone(&self.transport);
        let now = (self.clock)();
        let address = move |connection: &mut AnyConnection| {
            Ok::<_, DbError>(address(&transport, connection, request, now)?)
        };
        let addressed = db.read(address).await?;
        let any_failing = addressed.iter().any(|addressed| addressed.is_failing);
        let attempts = addressed
            .into_iter()
            .map(|addressed| self.attempt(addressed.webhook, addressed.job));
        let answers = join_all(attempts).instrument(span).await;
        let answers: Vec<Answered> = answers.into_iter().flatten().collect();
        self.take_note(db, &answers, any_failing).await;
        let first = |answered: Answered| (answered.said.webhook, answered.attempt);
        Ok(FirstAttempts(answers.into_iter().map(first).collect()))
    }

    /// Lets the workers know how the webhooks fared, whatever becomes of the change. As long as
    /// all do well, and did before, this writes nothing.
    async fn take_note(&self, db: &Db, answers: &[Answered], any_failing: bool) {
        for answered in answers {
            if let FirstAttempt::Made { record, .. } = &answered.attempt {
                self.metrics.attempted(Kind::Webhook, record);
            }
        }
        let said: Vec<UnclaimedAttempt> = answers.iter().map(|answered| answered.said).collect();
        let is_news = said.iter().any(|said| match said.peer_signal {
            PeerSignal::Silent => false,
            PeerSignal::Good => any_failing,
            PeerSignal::Bad | PeerSignal::Overloaded(_) | PeerSignal::Gone => true,
        });
        if !is_news {
            return;
        }
        let policy = self.policy.clone();
        let note = move |c: &mut AnyConnection| Ok::<_, DbError>(take_note(c, &said, &policy)?);
        match db.write(note).await {
            Ok(happenings) => {
                self.metrics.happened(&happenings);
                for (destination, happening) in happenings {
                    log(destination, happening);
                }
            }
            // The next attempt will tell the same.
            Err(error) => tracing::warn!("how the webhooks fared is not noted: {error}"),
        }
    }

    /// One webhook's answer. None: it was deleted a moment ago.
    async fn attempt(
        &self,
        webhook: WebhookId,
        job: Option<Result<Job, Unsendable>>,
    ) -> Option<Answered> {
        let began = (self.clock)();
        let (attempt, peer_signal) = match job {
            None => (FirstAttempt::NotMade, PeerSignal::Silent),
            Some(Ok(job)) => {
                let (exchange, peer_signal) = self.send(job, began).await;
                (self.first_attempt(webhook, began, &exchange), peer_signal)
            }
            Some(Err(Unsendable::Gone)) => return None,
            // Nothing but an exchange tells anything about the webhook.
            Some(Err(Unsendable::NotNow(failure))) => {
                let exchange = Exchange::failed(failure);
                (
                    self.first_attempt(webhook, began, &exchange),
                    PeerSignal::Silent,
                )
            }
            Some(Err(Unsendable::Broken(failure) | Unsendable::Unwanted(failure))) => {
                tracing::error!(webhook.id = %webhook, "cannot be sent: {}", failure.message);
                let attempt = FirstAttempt::Made {
                    record: record(began, &Exchange::failed(failure)),
                    disposition: Disposition::Finished(DeliveryState::Exhausted),
                };
                (attempt, PeerSignal::Silent)
            }
        };
        let said = UnclaimedAttempt {
            webhook,
            began,
            ended: (self.clock)(),
            peer_signal,
        };
        Some(Answered { attempt, said })
    }

    /// One webhook's panic must not cost the answers of the others.
    async fn send(&self, job: Job, now: UnixMillis) -> (Exchange, PeerSignal) {
        let sending = AssertUnwindSafe(self.transport.send(job, now)).catch_unwind();
        if let Ok(exchange) = sending.await {
            let peer_signal = peer_signal(&exchange.outcome);
            return (exchange, peer_signal);
        }
        let message = "the server failed while it was sending";
        let failure = Failure::new(ErrorClass::Unknown, message);
        (Exchange::failed(failure), PeerSignal::Silent)
    }

    fn first_attempt(
        &self,
        webhook: WebhookId,
        started: UnixMillis,
        exchange: &Exchange,
    ) -> FirstAttempt {
        let disposition = match &exchange.outcome {
            Outcome::Delivered => Disposition::Finished(DeliveryState::Delivered),
            Outcome::Failed(failure) => {
                tracing::info!(webhook.id = %webhook, "did not agree: {}", failure.message);
                // If the others agree.
                let (jitter, now) = ((self.jitter)(), (self.clock)());
                after_failure(&self.transport.schedule, 1, jitter, failure, now)
            }
        };
        FirstAttempt::Made {
            record: record(started, exchange),
            disposition,
        }
    }
}

/// The event for each webhook that wants it.
fn address(
    transport: &WebhookTransport,
    connection: &mut AnyConnection,
    request: ConsentRequest,
    now: UnixMillis,
) -> QueryResult<Vec<Addressed>> {
    let webhooks = Webhook::for_user_action(connection, request.tenant)?;
    let destinations: Vec<DestinationId> =
        webhooks.iter().copied().map(DestinationId::from).collect();
    let states = destination_states(connection, &destinations)?;
    let body = Bytes::from(request.body);
    let jobs = transport.address(connection, &webhooks, request.event, &body, now)?;
    let unless_it_rests = |(webhook, job)| {
        let destination = DestinationId::from(webhook);
        let state = states.iter().find(|state| state.destination == destination);
        Addressed {
            webhook,
            job: (!state.is_some_and(|state| state.rests(now))).then_some(job),
            is_failing: state.is_some_and(DestinationState::is_failing),
        }
    };
    Ok(jobs.into_iter().map(unless_it_rests).collect())
}

#[cfg(test)]
mod tests;
