//! Tells other processes that there is work, on PostgreSQL: a thread with a connection of its
//! own, or the statement itself that leaves the work.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use diesel::connection::SimpleConnection;

use super::connection::AnyConnection;
use super::error::{DbError, one_line};
use super::manager::{Manager, SqliteSynchronous};
use super::released::{Released, held};
use super::statements::Counter;
use super::url::DatabaseUrl;
use crate::outbox::Kind;

pub(super) const CHANNEL: &str = "beadle_outbox";

/// Between two tries to reach a database that is down.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After a notification, before the next. A busy API commits hundreds of times a second, and
/// each notification is a transaction of PostgreSQL's and a look of every worker; whoever
/// comes after a pause still notifies at once.
const SPACING: Duration = Duration::from_millis(2);

/// How long nobody must have notified for a statement that writes to do so itself. It spares
/// a round trip and two changes of thread, but commits that notify wait for each other, from
/// all processes and for as long as the disk takes. So a busy API leaves it to the thread.
const QUIET: Duration = Duration::from_millis(10);

/// How long a process that ends waits for its last notification to go out.
const FAREWELL: Duration = Duration::from_secs(1);

/// Kinds of deliveries that there may be more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const ALL: Self = Self(0b11);

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & Self::from(kind).0 != 0
    }

    /// What a notification says.
    fn payload(self) -> &'static str {
        match (self.has(Kind::Webhook), self.has(Kind::Email)) {
            (true, false) => "webhook",
            (false, true) => "email",
            _ => "",
        }
    }

    /// What a notification said: all kinds, if it names none.
    pub(super) fn of_payload(payload: &str) -> Self {
        let named = |kind: &Kind| Self::from(*kind).payload() == payload;
        let kinds = [Kind::Webhook, Kind::Email];
        kinds
            .iter()
            .copied()
            .find(named)
            .map_or(Self::ALL, Self::from)
    }
}

impl From<Kind> for Kinds {
    fn from(kind: Kind) -> Self {
        Self(match kind {
            Kind::Webhook => 0b01,
            Kind::Email => 0b10,
        })
    }
}

/// A notification that a statement sends when it is committed.
#[derive(Debug, Clone, Copy)]
pub struct Notice(Kinds);

impl Notice {
    pub(super) fn channel(&self) -> &'static str {
        CHANNEL
    }

    pub(super) fn payload(&self) -> &'static str {
        self.0.payload()
    }
}

/// The notifier thread. Without this, it ends.
#[derive(Debug)]
pub(super) struct Notifier {
    shared: Arc<Shared>,
    /// Capacity one, so that wake-ups merge.
    wakes: SyncSender<()>,
    /// Dropped after the sender: fields go in this order.
    _released: Released,
}

#[derive(Debug, Default)]
struct Shared {
    /// The [`Kinds`] to tell of.
    owed: AtomicU8,
    /// When somebody told last.
    told: Mutex<Option<Instant>>,
}

impl Shared {
    fn has_told(&self, now: Instant) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

impl Notifier {
    /// None: workers will poll.
    pub(super) fn start(url: DatabaseUrl) -> Option<Self> {
        let (wakes, receiver) = sync_channel(1);
        let (held, _released) = held(FAREWELL);
        let shared = Arc::<Shared>::default();
        let manager = Manager {
            url,
            synchronous: SqliteSynchronous::Full,
            counter: Counter::default(),
        };
        let started = thread::Builder::new().name("notifier".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                let _held = held;
                notify_loop(&manager, &shared, &receiver);
            }
        });
        match started {
            Ok(_) => Some(Self {
                shared,
                wakes,
                _released,
            }),
            Err(error) => {
                tracing::warn!("no notifier thread, workers will poll: {error}");
                None
            }
        }
    }

    /// Has the thread tell of these. Never blocks.
    pub(super) fn tell(&self, kinds: Kinds) {
        self.shared.owed.fetch_or(kinds.0, Ordering::AcqRel);
        // Full: a notification is about to go out anyway.
        let _ = self.wakes.try_send(());
    }

    /// What a statement is to tell itself, if nobody has told of anything for a while. It
    /// counts as told: whoever comes next leaves it to the thread.
    pub(super) fn notice(&self, kind: Kind, now: Instant) -> Option<Notice> {
        let mut told = self
            .shared
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|told| now.saturating_duration_since(told) < QUIET) {
            return None;
        }
        *told = Some(now);
        Some(Notice(kind.into()))
    }
}

fn notify_loop(manager: &Manager, shared: &Shared, wakes: &Receiver<()>) {
    let mut connection = None;
    let mut pause = endless_backoff();
    let mut failed = false;
    // What could not be told is told as soon as it can be.
    while failed || wakes.recv().is_ok() {
        let kinds = Kinds(shared.owed.swap(0, Ordering::AcqRel));
        let sent = match connection.take().map_or_else(|| open(manager), Ok) {
            Ok(mut open) => open
                .batch_execute(&format!("NOTIFY {CHANNEL}, '{}'", kinds.payload()))
                .map(|()| open)
                .map_err(Into::into),
            Err(error) => Err(error),
        };
        match sent {
            Ok(open) => {
                connection = Some(open);
                failed = false;
                pause.reset();
                shared.has_told(Instant::now());
                thread::sleep(SPACING);
            }
            Err(error) => {
                tracing::warn!(
                    "cannot notify the workers, they will poll: {}",
                    one_line(&error)
                );
                if wakes.try_recv() == Err(TryRecvError::Disconnected) {
                    // Nobody is left to speak for.
                    return;
                }
                shared.owed.fetch_or(kinds.0, Ordering::AcqRel);
                failed = true;
                thread::sleep(pause.next_backoff().unwrap_or(LONGEST_PAUSE));
            }
        }
    }
}

/// A connection for nothing but wake-ups. A transaction that only notifies still waits for
/// the disk unless told not to, and has nothing there that could be lost.
fn open(manager: &Manager) -> Result<AnyConnection, DbError> {
    let mut connection = manager.open()?;
    connection.batch_execute("SET synchronous_commit = off")?;
    Ok(connection)
}

/// From a tenth of a second to five seconds, for ever. Longer would save little, and
/// leave everybody to polling long after the database is back.
pub(super) fn endless_backoff() -> ExponentialBackoff {
    let mut pause = ExponentialBackoff {
        initial_interval: Duration::from_millis(100),
        max_interval: LONGEST_PAUSE,
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    // The first interval is the default's until then.
    pause.reset();
    pause
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_says_what_it_is_about() {
        for kinds in [Kinds::ALL, Kind::Webhook.into(), Kind::Email.into()] {
            assert_eq!(Kinds::of_payload(kinds.payload()), kinds);
        }
        assert_eq!(Kinds::of_payload("of a later version"), Kinds::ALL);
        assert!(!Kinds::from(Kind::Webhook).has(Kind::Email));
    }
}
