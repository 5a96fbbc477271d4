//! The receivers: what they answer, what they have seen, and what is on its way to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use beadle_common::db::AnyConnection;
use beadle_common::id::{DeliveryId, DestinationId};
use beadle_common::outbox::{Claimed, Kind};
use beadle_common::unix_millis::UnixMillis;
use diesel::QueryResult;
use diesel::result::Error;
use tokio::sync::oneshot;

use super::Random;
use crate::core::Unsendable;
use crate::core::outcome::{ErrorClass, Exchange, Failure, FailureKind, Outcome};
use crate::core::policy::{RetrySchedule, parse_retry_after};
use crate::dispatcher::{Loaded, Transport};

/// The kinds of answers. Each may come at any time from a receiver that is `Moody`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Status(u16, Wish),
    /// No answer, for this reason.
    Broken(ErrorClass),
    Unsendable,
    NotNow,
    Unwanted,
    Missing,
}

/// The `Retry-After` header of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    None,
    Seconds(u32),
    Date(u32),
}

/// Everything that a receiver may do but 410, and all that may keep us from sending.
pub(super) const ANSWERS: [Answer; 22] = [
    Answer::Status(200, Wish::None),
    Answer::Status(204, Wish::Seconds(50)),
    Answer::Status(301, Wish::None),
    Answer::Status(400, Wish::None),
    Answer::Status(404, Wish::None),
    Answer::Status(429, Wish::None),
    Answer::Status(429, Wish::Seconds(90)),
    Answer::Status(429, Wish::Date(3600)),
    Answer::Status(500, Wish::None),
    Answer::Status(502, Wish::Date(40)),
    Answer::Status(503, Wish::Seconds(400_000)),
    Answer::Status(504, Wish::None),
    Answer::Broken(ErrorClass::Dns),
    Answer::Broken(ErrorClass::Connect),
    Answer::Broken(ErrorClass::Tls),
    Answer::Broken(ErrorClass::Timeout),
    Answer::Broken(ErrorClass::Body),
    Answer::Broken(ErrorClass::Blocked),
    Answer::Unsendable,
    Answer::NotNow,
    Answer::Unwanted,
    Answer::Missing,
];

/// What a receiver is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temper {
    /// Anything at any time.
    Moody,
    /// Now and then 410, otherwise as it should.
    Parting,
    /// Always the same.
    Always(Answer),
    /// The same until then (milliseconds since the start), and well from then on.
    Until(Answer, i64),
}

impl Temper {
    pub(super) fn random(random: &mut Random) -> Self {
        let answer = random.pick(&ANSWERS);
        match random.below(8) {
            0 => Self::Parting,
            1 | 2 => Self::Moody,
            3 | 4 => Self::Always(answer),
            5 | 6 => Self::Until(answer, random.up_to(30 * 3_600_000)),
            _ => Self::Always(ANSWERS[0]),
        }
    }

    fn answer(self, random: &mut Random, elapsed: i64) -> Answer {
        match self {
            Self::Moody => random.pick(&ANSWERS),
            Self::Parting if random.one_in(4) => Answer::Status(410, Wish::None),
            Self::Always(answer) => answer,
            Self::Until(answer, end) if elapsed < end => answer,
            Self::Parting | Self::Until(..) => ANSWERS[0],
        }
    }
}

impl Answer {
    fn exchange(self, now: UnixMillis) -> Exchange {
        match self {
            Self::Status(status, _) if status < 300 => Exchange {
                outcome: Outcome::Delivered,
                duration: Duration::from_millis(9),
                status_code: Some(status),
                excerpt: None,
            },
            Self::Status(status, wish) => {
                let retry_after = wish.header(now);
                let failure = Failure::new(ErrorClass::Http, "an answer");
                Exchange::failed(Failure {
                    retry_after: retry_after.and_then(|h| parse_retry_after(&h, now.millis())),
                    ..failure
                        .status(Some(status))
                        .kind(FailureKind::of_status(status))
                })
            }
            Self::Broken(ErrorClass::Body) => {
                Exchange::failed(Failure::new(ErrorClass::Body, "half").status(Some(200)))
            }
            Self::Broken(class) => Exchange::failed(Failure::new(class, "no answer")),
            Self::Unsendable | Self::NotNow | Self::Unwanted | Self::Missing => {
                unreachable!("it is not sent")
            }
        }
    }

    /// Why it cannot be sent, if it cannot.
    fn hindrance(self) -> Option<Unsendable> {
        let failure = || Failure::new(ErrorClass::Unknown, "our own fault");
        match self {
            Self::Unsendable => Some(Unsendable::Broken(failure())),
            Self::NotNow => Some(Unsendable::NotNow(failure())),
            Self::Unwanted => Some(Unsendable::Unwanted(failure())),
            Self::Missing => Some(Unsendable::Gone),
            Self::Status(..) | Self::Broken(_) => None,
        }
    }
}

impl Wish {
    fn header(self, now: UnixMillis) -> Option<String> {
        match self {
            Self::None => None,
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::Date(seconds) => {
                let at = now.plus(Duration::from_secs(seconds.into())).millis();
                let at = Duration::from_millis(u64::try_from(at).unwrap());
                Some(httpdate::fmt_http_date(std::time::UNIX_EPOCH + at))
            }
        }
    }
}

/// A request that has left the worker.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) base: i32,
    /// By the worker's clock.
    pub(super) at: UnixMillis,
    pub(super) delivered: bool,
    pub(super) status: Option<u16>,
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) worker: u32,
    /// Milliseconds since the start.
    pub(super) lands_at: i64,
    exchange: Exchange,
    answer: oneshot::Sender<Exchange>,
}

impl InFlight {
    pub(super) fn land(self) {
        // Fails if the worker has cut it off meanwhile.
        let _ = self.answer.send(self.exchange);
    }
}

/// All receivers.
#[derive(Debug)]
pub(super) struct Receivers {
    pub(super) random: Random,
    pub(super) tempers: BTreeMap<DestinationId, Temper>,
    pub(super) elapsed: i64,
    pub(super) seen: BTreeMap<(DeliveryId, i32), Vec<Sighting>>,
    pub(super) air: Vec<InFlight>,
    /// What has been claimed since somebody asked.
    pub(super) claimed: BTreeMap<DeliveryId, (u32, Claimed)>,
    /// One in how many loads fails; 0: none.
    pub(super) load_trouble: u64,
}

impl Receivers {
    /// How many attempts of this worker are on their way. What was cut off is not.
    pub(super) fn flying(&mut self, worker: u32) -> usize {
        self.air.retain(|attempt| !attempt.answer.is_closed());
        self.air.iter().filter(|f| f.worker == worker).count()
    }

    fn answer(&mut self, destination: DestinationId) -> Answer {
        let temper = self.tempers[&destination];
        temper.answer(&mut self.random, self.elapsed)
    }

    fn start_waiting(
        &mut self,
        worker: u32,
        job: &Claimed,
        now: UnixMillis,
    ) -> oneshot::Receiver<Exchange> {
        let (answer, answered) = oneshot::channel();
        let exchange = loop {
            let answer = self.answer(job.destination);
            if answer.hindrance().is_none() {
                break answer.exchange(now);
            }
        };
        let failure = exchange.outcome.failure();
        let late = failure.is_some_and(|f| f.class == ErrorClass::Timeout);
        let takes = if late {
            20_000
        } else {
            self.random.up_to(3000)
        };
        let sightings = self.seen.entry((job.id, job.attempt)).or_default();
        sightings.push(Sighting {
            base: job.base_attempt,
            at: now,
            delivered: exchange.outcome.is_delivered(),
            status: exchange.status_code,
        });
        self.air.push(InFlight {
            worker,
            lands_at: self.elapsed + takes,
            exchange,
            answer,
        });
        answered
    }
}

/// The way of one worker to the receivers.
pub(super) struct Scripted {
    pub(super) worker: u32,
    pub(super) receivers: Arc<Mutex<Receivers>>,
    pub(super) dead: std::sync::atomic::AtomicBool,
    pub(super) schedule: RetrySchedule,
}

impl Scripted {
    fn receivers(&self) -> MutexGuard<'_, Receivers> {
        self.receivers.lock().unwrap()
    }

    fn is_dead(&self) -> bool {
        self.dead.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Transport for Scripted {
    const KIND: Kind = Kind::Webhook;
    type Job = Claimed;

    fn load(
        &self,
        _connection: &mut AnyConnection,
        claimed: Vec<Claimed>,
        _now: UnixMillis,
    ) -> QueryResult<Loaded<Claimed>> {
        let mut receivers = self.receivers();
        let noted = claimed.iter().cloned();
        receivers
            .claimed
            .extend(noted.map(|claimed| (claimed.id, (self.worker, claimed))));
        let trouble = receivers.load_trouble;
        if trouble > 0 && receivers.random.one_in(trouble) {
            return Err(Error::BrokenTransactionManager);
        }
        let mut job = |claimed: Claimed| {
            let hindrance = receivers.answer(claimed.destination).hindrance();
            (claimed.clone(), hindrance.map_or(Ok(claimed), Err))
        };
        Ok(claimed.into_iter().map(&mut job).collect())
    }

    fn weight(&self, _parcel: &Claimed) -> usize {
        1000
    }

    fn time_limit(&self, _parcel: &Claimed) -> Duration {
        Duration::from_secs(20)
    }

    async fn send(&self, job: Claimed, now: UnixMillis) -> Exchange {
        if self.is_dead() {
            return std::future::pending().await;
        }
        let answered = self.receivers().start_waiting(self.worker, &job, now);
        match answered.await {
            Ok(exchange) => exchange,
            // The worker is dead.
            Err(_) => std::future::pending().await,
        }
    }

    fn schedule(&self) -> &RetrySchedule {
        &self.schedule
    }
}
