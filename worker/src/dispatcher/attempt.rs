//! One attempt to deliver: from the claimed job to the settlement.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use beadle_common::outbox::{
    AttemptRecord, AttemptResult, Claimed, DeliveryState, Disposition, PeerSignal, Settlement,
};
use beadle_common::unix_millis::UnixMillis;
use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::Transport;
use super::capacity::Health;
use super::limiter::Slot;
use crate::core::outcome::{ErrorClass, Exchange, Failure, Outcome};
use crate::core::signal::{after_failure, peer_signal, record};
use crate::core::{Clock, Jitter, Unsendable};

/// By how much the lease has to outlast an exchange that is about to begin: time to
/// settle it. What is closer goes back unsent.
const MARGIN: Duration = Duration::from_secs(5);

/// How long a transport may overrun its own time limit before it is cut off.
const OVERRUN: Duration = Duration::from_secs(2);

/// When something that goes back unsent is due again. At once would only spin if the
/// reason lasts.
const BACK_SOON: Duration = Duration::from_secs(1);

/// What an attempt starts with: a job, or the reason why there is none.
#[derive(Debug)]
pub(super) enum Prepared<P> {
    /// A delivery ready to be sent.
    Job(P),
    /// One that is not.
    Unsendable(Unsendable),
    /// The database went away before it could be loaded.
    NotLoaded,
}

/// A delivery that this worker has claimed and not yet tried.
pub(super) struct ClaimedJob<P> {
    pub(super) claimed: Claimed,
    pub(super) prepared: Prepared<P>,
    pub(super) lease_end: UnixMillis,
}

/// A finished attempt: its settlement, and until when that may be written.
pub(super) struct AttemptDone {
    pub(super) settlement: Settlement,
    pub(super) lease_end: UnixMillis,
    /// Kept until this is written, unless all went well.
    pub(super) _kept: Option<Box<dyn SlotGuard>>,
}

/// Keeps a slot taken until the settlement is written.
pub(super) trait SlotGuard: Send + Sync {}

impl<W: Send> SlotGuard for Slot<W> {}

/// What all attempts of a dispatcher share.
#[derive(Clone)]
pub(super) struct SendContext<C> {
    pub(super) transport: Arc<C>,
    pub(super) clock: Clock,
    pub(super) jitter: Jitter,
    pub(super) cut: CancellationToken,
    pub(super) done: mpsc::Sender<AttemptDone>,
}

impl<C: Transport> SendContext<C> {
    /// Makes one attempt, then those that may begin in its place, one after the other.
    pub(super) async fn run_attempts(
        self: Arc<Self>,
        slot: Slot<ClaimedJob<C::Job>>,
        held: ClaimedJob<C::Job>,
    ) {
        let mut next = Some((slot, held));
        while let Some((slot, held)) = next {
            next = self.attempt_one(slot, held).await;
            // The task that reads from the connection gives it back only now. Whoever asks
            // for one before that has another one opened.
            tokio::task::yield_now().await;
        }
    }

    async fn attempt_one(
        self: &Arc<Self>,
        slot: Slot<ClaimedJob<C::Job>>,
        held: ClaimedJob<C::Job>,
    ) -> Option<(Slot<ClaimedJob<C::Job>>, ClaimedJob<C::Job>)> {
        let ClaimedJob {
            claimed,
            prepared,
            lease_end,
        } = held;
        let span = tracing::info_span!(
            "delivery",
            delivery.id = %claimed.id,
            delivery.attempt = claimed.attempt,
        );
        let mut attempt = Attempt {
            slot,
            context: Arc::clone(self),
            lease_end,
            claimed,
            dismissed: Vec::new(),
        };
        let settlement = attempt.attempt(prepared).instrument(span).await;
        let Attempt {
            slot, dismissed, ..
        } = attempt;
        // What failed may shut its destination. Nothing more of it is claimed in its place until
        // that is written: it would only use up attempts.
        let (kept, freed): (Option<Box<dyn SlotGuard>>, _) = match settlement.peer_signal {
            PeerSignal::Good => (None, Some(slot)),
            _ => (Some(Box::new(slot)), None),
        };
        let done = AttemptDone {
            settlement,
            lease_end,
            _kept: kept,
        };
        // Fails only if the settler is gone; the lease will lapse then.
        let _ = self.done.send(done).await;
        self.hand_back_all(dismissed).await;
        freed?.make_way(tokio::time::Instant::now())
    }

    /// These do not leave: they are pending as if they had not been claimed.
    pub(super) async fn hand_back_all(&self, held: Vec<ClaimedJob<C::Job>>) {
        for held in held {
            let disposition = Disposition::Release {
                at: held.claimed.due_at,
            };
            let done = AttemptDone {
                settlement: Settlement::of(&held.claimed, (self.clock)(), None, disposition),
                lease_end: held.lease_end,
                _kept: None,
            };
            let _ = self.done.send(done).await;
        }
    }
}

struct Attempt<C: Transport> {
    slot: Slot<ClaimedJob<C::Job>>,
    context: Arc<SendContext<C>>,
    lease_end: UnixMillis,
    claimed: Claimed,
    /// What waited behind it, if it has gone badly.
    dismissed: Vec<ClaimedJob<C::Job>>,
}

impl<C: Transport> Attempt<C> {
    async fn attempt(&mut self, prepared: Prepared<C::Job>) -> Settlement {
        let started = (self.context.clock)();
        if self.is_beyond_the_last() {
            // Each one is on record; that of a worker that died was put there by the claim.
            tracing::warn!("exhausted: all attempts were made, the last without an outcome");
            return self.settle(None, Disposition::Finished(DeliveryState::Exhausted));
        }
        let job = match prepared {
            Prepared::Job(job) => job,
            Prepared::Unsendable(unsendable) => return self.unsendable(started, unsendable),
            Prepared::NotLoaded => return self.hand_back(started),
        };
        let limit = self.context.transport.time_limit(&job);
        if started.plus(limit + MARGIN) > self.lease_end {
            tracing::warn!("not sent: the lease might end before {limit:?} have passed");
            return self.hand_back(started);
        }
        let sending = AssertUnwindSafe(self.context.transport.send(job, started)).catch_unwind();
        tokio::select! {
            sent = tokio::time::timeout(limit + OVERRUN, sending) => match sent {
                Ok(Ok(exchange)) => self.sent(started, exchange),
                Ok(Err(panic)) => {
                    let text = panic_text(panic.as_ref());
                    tracing::error!("sending panicked: {text}");
                    self.unknown(started, format!("the worker failed while it was sending: {text}"))
                }
                Err(_) => self.sent(started, overdue(limit)),
            },
            () = self.context.cut.cancelled() => self.cut_off(started),
        }
    }

    fn hand_back(&self, started: UnixMillis) -> Settlement {
        let at = started.plus(BACK_SOON);
        self.settle(None, Disposition::Release { at })
    }

    /// An exchange with the peer: the only thing that tells of the destination's health.
    fn sent(&mut self, started: UnixMillis, exchange: Exchange) -> Settlement {
        let peer_signal = peer_signal(&exchange.outcome);
        self.dismissed = self.slot.report(match peer_signal {
            PeerSignal::Good | PeerSignal::Silent => Health::Good,
            PeerSignal::Bad => Health::Bad,
            PeerSignal::Overloaded(_) | PeerSignal::Gone => Health::Shut,
        });
        Settlement {
            peer_signal,
            ..self.finished(started, exchange)
        }
    }

    /// Where the delivery stands in its schedule, from 1.
    fn position(&self) -> u32 {
        let position = self
            .claimed
            .attempt
            .saturating_sub(self.claimed.base_attempt);
        u32::try_from(position).unwrap_or_default()
    }

    fn is_beyond_the_last(&self) -> bool {
        self.position() > self.context.transport.schedule().attempts()
    }

    fn unsendable(&self, started: UnixMillis, unsendable: Unsendable) -> Settlement {
        match unsendable {
            Unsendable::Gone => self.settle(None, Disposition::Finished(DeliveryState::Canceled)),
            Unsendable::Unwanted(failure) => {
                tracing::info!("canceled: {}", failure.message);
                let record = record(started, &Exchange::failed(failure));
                self.settle(Some(record), Disposition::Finished(DeliveryState::Canceled))
            }
            Unsendable::NotNow(failure) => self.finished(started, Exchange::failed(failure)),
            Unsendable::Broken(failure) => {
                tracing::error!("exhausted, since it cannot be sent: {}", failure.message);
                let record = record(started, &Exchange::failed(failure));
                self.settle(
                    Some(record),
                    Disposition::Finished(DeliveryState::Exhausted),
                )
            }
        }
    }

    fn finished(&self, started: UnixMillis, exchange: Exchange) -> Settlement {
        let disposition = match &exchange.outcome {
            Outcome::Delivered => Disposition::Finished(DeliveryState::Delivered),
            Outcome::Failed(failure) => self.after(failure),
        };
        let record = record(started, &exchange);
        self.settle(Some(record), disposition)
    }

    /// What follows a failure, for the log too.
    fn after(&self, failure: &Failure) -> Disposition {
        let (schedule, position) = (self.context.transport.schedule(), self.position());
        let (jitter, now) = ((self.context.jitter)(), (self.context.clock)());
        let disposition = after_failure(schedule, position, jitter, failure, now);
        let message = &failure.message;
        match disposition {
            Disposition::Hold => tracing::warn!("held, since the receiver is gone: {message}"),
            Disposition::Retry { .. } => {
                tracing::info!("failed, and will be tried again: {message}");
            }
            _ if failure.kind.may_retry() => {
                tracing::warn!("exhausted, all attempts have failed: {message}");
            }
            _ => tracing::warn!("exhausted, since it was refused for good: {message}"),
        }
        disposition
    }

    /// The process stops.
    fn cut_off(&self, started: UnixMillis) -> Settlement {
        let message = "the worker was stopped before the answer came";
        let settlement = self.unknown(started, message.to_owned());
        match settlement.disposition {
            // The peer has done nothing that it should be spared for.
            Disposition::Retry { .. } => Settlement {
                disposition: Disposition::Retry { at: settlement.now },
                ..settlement
            },
            _ => settlement,
        }
    }

    /// The receiver may have got it or not; it is tried again.
    fn unknown(&self, started: UnixMillis, message: String) -> Settlement {
        let failure = Failure::new(ErrorClass::Unknown, message);
        let settlement = self.finished(started, Exchange::failed(failure));
        let unknown = |record| AttemptRecord {
            result: AttemptResult::Unknown,
            ..record
        };
        Settlement {
            record: settlement.record.map(unknown),
            ..settlement
        }
    }

    fn settle(&self, record: Option<AttemptRecord>, disposition: Disposition) -> Settlement {
        Settlement::of(&self.claimed, (self.context.clock)(), record, disposition)
    }
}

/// A transport that breaks its promise must not hold its slot for ever.
fn overdue(limit: Duration) -> Exchange {
    let message = format!("no outcome within the time limit of {limit:?}");
    Exchange {
        duration: limit + OVERRUN,
        ..Exchange::failed(Failure::new(ErrorClass::Timeout, message))
    }
}

/// What a panic says.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}
