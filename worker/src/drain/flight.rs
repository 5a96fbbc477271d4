//! One delivery in flight: from the claim to what has to be settled.

use std::sync::Arc;
use std::time::Duration;

use beadle_common::instant::Instant;
use beadle_common::outbox::{
    AttemptRecord, AttemptResult, Claimed, DeliveryState, Settlement, Verdict,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::slots::Slot;
use super::{Clock, Courier, Jitter};
use crate::outcome::{ErrorClass, Exchange, Failure, Outcome};
use crate::policy::Next;

/// By how much the lease has to outlast an exchange that is about to begin: time to
/// settle it. What is closer goes back unsent.
const MARGIN: Duration = Duration::from_secs(5);

/// Why a delivery cannot be sent at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsendable {
    /// Its receiver or what it delivers is gone.
    Gone,
    /// It cannot be made ready; trying again changes nothing.
    Broken(Failure),
    /// It cannot be made ready now, for a reason that an operator can mend.
    NotNow(Failure),
}

/// A settlement, and until when it may be written.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) settlement: Settlement,
    pub(super) lease_end: Instant,
}

pub(super) struct Flight<C> {
    pub(super) slot: Slot,
    pub(super) courier: Arc<C>,
    pub(super) clock: Clock,
    pub(super) jitter: Jitter,
    pub(super) lease_end: Instant,
    pub(super) claimed: Claimed,
    pub(super) cut: CancellationToken,
}

impl<C: Courier> Flight<C> {
    pub(super) async fn fly(
        self,
        parcel: Result<C::Parcel, Unsendable>,
        landings: mpsc::Sender<Landing>,
    ) {
        let span = tracing::info_span!(
            "delivery",
            delivery.id = %self.claimed.id,
            delivery.attempt = self.claimed.attempt,
        );
        let settlement = self.attempt(parcel).instrument(span).await;
        let landing = Landing {
            settlement,
            lease_end: self.lease_end,
        };
        // Fails only if the settler is gone; the lease will lapse then.
        let _ = landings.send(landing).await;
        drop(self.slot);
    }

    async fn attempt(&self, parcel: Result<C::Parcel, Unsendable>) -> Settlement {
        let started = (self.clock)();
        if self.is_beyond_the_last() {
            // The claim has put the lapsed attempt on record; it was the last.
            tracing::warn!("exhausted: the worker of the last attempt never said how it went");
            return self.settle(None, Verdict::Finished(DeliveryState::Exhausted));
        }
        let parcel = match parcel {
            Ok(parcel) => parcel,
            Err(unsendable) => return self.unsendable(started, unsendable),
        };
        let needed = self.courier.time_limit(&parcel) + MARGIN;
        if started.plus(needed) > self.lease_end {
            return self.settle(None, Verdict::HandBack { at: started });
        }
        tokio::select! {
            exchange = self.courier.send(parcel, started) => self.landed(started, exchange),
            () = self.cut.cancelled() => self.cut_off(started),
        }
    }

    fn is_beyond_the_last(&self) -> bool {
        let attempts = self.courier.schedule().attempts();
        u32::try_from(self.claimed.attempt).is_ok_and(|attempt| attempt > attempts)
    }

    fn unsendable(&self, started: Instant, unsendable: Unsendable) -> Settlement {
        match unsendable {
            Unsendable::Gone => self.settle(None, Verdict::Finished(DeliveryState::Canceled)),
            Unsendable::NotNow(failure) => self.landed(started, Exchange::failed(failure)),
            Unsendable::Broken(failure) => {
                tracing::error!("exhausted, since it cannot be sent: {}", failure.message);
                let record = self.record(started, &Exchange::failed(failure));
                self.settle(Some(record), Verdict::Finished(DeliveryState::Exhausted))
            }
        }
    }

    fn landed(&self, started: Instant, exchange: Exchange) -> Settlement {
        let verdict = match &exchange.outcome {
            Outcome::Delivered => Verdict::Finished(DeliveryState::Delivered),
            Outcome::Failed(failure) => self.after(failure),
        };
        let record = self.record(started, &exchange);
        self.settle(Some(record), verdict)
    }

    /// What follows a failure.
    fn after(&self, failure: &Failure) -> Verdict {
        use crate::outcome::Verdict as Asked;
        let exhausted = Verdict::Finished(DeliveryState::Exhausted);
        // A receiver that says it is gone is asked again like one that fails, until
        // webhooks can be disabled: nothing is lost that way.
        let may_retry = failure.verdict.may_retry() || failure.verdict == Asked::Gone;
        if !may_retry {
            tracing::warn!(
                "exhausted, since it was refused for good: {}",
                failure.message
            );
            return exhausted;
        }
        let done = u32::try_from(self.claimed.attempt).unwrap_or(u32::MAX);
        let now = (self.clock)();
        let schedule = self.courier.schedule();
        match schedule.next(done, (self.jitter)(), failure.retry_after, now.millis()) {
            Next::Retry { at_millis } => {
                tracing::info!("failed, and will be tried again: {}", failure.message);
                Verdict::Retry {
                    at: Instant::from_millis(at_millis),
                }
            }
            Next::Exhausted => {
                tracing::warn!("exhausted, all attempts have failed: {}", failure.message);
                exhausted
            }
        }
    }

    /// The process stops. The receiver may have got it or not; it is tried again.
    fn cut_off(&self, started: Instant) -> Settlement {
        let message = "the worker was stopped before the answer came";
        let failure = Failure::new(ErrorClass::Unknown, message);
        let mut record = self.record(started, &Exchange::failed(failure));
        record.result = AttemptResult::Unknown;
        let now = (self.clock)();
        let last = u32::try_from(self.claimed.attempt)
            .is_ok_and(|attempt| attempt >= self.courier.schedule().attempts());
        let verdict = match last {
            true => Verdict::Finished(DeliveryState::Exhausted),
            false => Verdict::Retry { at: now },
        };
        self.settle(Some(record), verdict)
    }

    fn record(&self, started: Instant, exchange: &Exchange) -> AttemptRecord {
        let failure = exchange.outcome.failure();
        AttemptRecord {
            instant: started,
            duration_millis: i32::try_from(exchange.duration.as_millis()).unwrap_or(i32::MAX),
            result: match exchange.outcome {
                Outcome::Delivered => AttemptResult::Success,
                Outcome::Failed(_) => AttemptResult::Failure,
            },
            status_code: exchange.status_code.map(i32::from),
            class: failure.map(|failure| failure.class.as_str().to_owned()),
            message: failure.map(|failure| failure.message.clone()),
            response_excerpt: exchange.excerpt.clone(),
        }
    }

    fn settle(&self, record: Option<AttemptRecord>, verdict: Verdict) -> Settlement {
        Settlement {
            id: self.claimed.id,
            token: self.claimed.token,
            attempt: self.claimed.attempt,
            record,
            verdict,
            now: (self.clock)(),
        }
    }
}
