//! Tells other processes on PostgreSQL that there is work (`NOTIFY`): a thread with a
//! connection of its own does, or the statement that leaves the work.
//!
//! The connection is libpq's, as all others that write: tokio-postgres, which listens, is
//! built without TLS.

use std::sync::atomic::{AtomicBool, Ordering};
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
use super::statements::Counter;
use super::url::DatabaseUrl;
use crate::kind::Kind;

/// The longest wait between two attempts to reach a database that is down.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The shortest time between two notifications of the thread. Each is a transaction of
/// PostgreSQL and a claim by every worker, and a busy API commits hundreds of times a second.
/// A notification after a pause goes out at once.
const SPACING: Duration = Duration::from_millis(2);

/// A statement that writes sends its own notification only if none was sent for this long. It
/// saves a round trip and two context switches, but PostgreSQL serializes the commits that
/// notify, over all processes and for as long as the disk takes. So a busy API leaves it to
/// the thread.
const QUIET: Duration = Duration::from_millis(10);

/// The channel of PostgreSQL on which processes hear of work of this kind.
pub(super) fn channel(kind: Kind) -> &'static str {
    match kind {
        Kind::Webhook => "beadle_webhooks",
        Kind::Email => "beadle_emails",
    }
}

/// A notification that a statement sends when it is committed.
#[derive(Debug, Clone, Copy)]
pub struct Notice(Kind);

impl Notice {
    pub(super) fn channel(self) -> &'static str {
        channel(self.0)
    }
}

/// A handle on the notifying thread, which ends when the handle is dropped.
#[derive(Debug)]
pub(super) struct Notifier {
    shared: Arc<Shared>,
    /// Its capacity is one, so that notifications merge.
    wakes: SyncSender<()>,
}

#[derive(Debug, Default)]
struct Shared {
    webhooks: AtomicBool,
    emails: AtomicBool,
    /// When the last notification was sent.
    sent: Mutex<Option<Instant>>,
}

impl Shared {
    /// Whether a notification of this kind is owed.
    fn owed(&self, kind: Kind) -> &AtomicBool {
        match kind {
            Kind::Webhook => &self.webhooks,
            Kind::Email => &self.emails,
        }
    }
}

impl Notifier {
    /// Starts the thread. None: it could not be started, and workers poll.
    pub(super) fn start(url: DatabaseUrl) -> Option<Self> {
        let (wakes, receiver) = sync_channel(1);
        let shared = Arc::<Shared>::default();
        let manager = Manager {
            url,
            synchronous: SqliteSynchronous::Full,
            counter: Counter::default(),
        };
        let of_thread = Arc::clone(&shared);
        let started = thread::Builder::new()
            .name("notifier".to_owned())
            .spawn(move || notify_loop(&manager, &of_thread, &receiver));
        match started {
            Ok(_) => Some(Self { shared, wakes }),
            Err(error) => {
                tracing::warn!("no notifier thread, workers will poll: {error}");
                None
            }
        }
    }

    /// Has the thread send a notification. Never blocks.
    pub(super) fn notify(&self, kind: Kind) {
        self.shared.owed(kind).store(true, Ordering::Release);
        // If it is full, a notification is about to go out anyway.
        let _ = self.wakes.try_send(());
    }

    /// What a statement is to send itself, if nothing was sent for a while. It counts as sent:
    /// the next one is left to the thread.
    pub(super) fn notice(&self, kind: Kind, now: Instant) -> Option<Notice> {
        let sent = self.shared.sent.lock();
        let mut sent = sent.unwrap_or_else(PoisonError::into_inner);
        if sent.is_some_and(|sent| now.saturating_duration_since(sent) < QUIET) {
            return None;
        }
        *sent = Some(now);
        Some(Notice(kind))
    }
}

fn notify_loop(manager: &Manager, shared: &Shared, wakes: &Receiver<()>) {
    let mut connection = None;
    let mut pause = endless_backoff();
    while wakes.recv().is_ok() {
        // What could not be sent is sent as soon as it can be.
        while let Err(error) = send_owed(manager, shared, &mut connection) {
            let error = one_line(&error);
            tracing::warn!("cannot notify the workers, they will poll: {error}");
            thread::sleep(pause.next_backoff().unwrap_or(LONGEST_PAUSE));
            // A wake that is taken here is owed, and so is sent by the next try.
            if wakes.try_recv() == Err(TryRecvError::Disconnected) {
                return;
            }
        }
        pause.reset();
        let now = Some(Instant::now());
        *shared.sent.lock().unwrap_or_else(PoisonError::into_inner) = now;
        thread::sleep(SPACING);
    }
}

fn send_owed(
    manager: &Manager,
    shared: &Shared,
    connection: &mut Option<AnyConnection>,
) -> Result<(), DbError> {
    for kind in Kind::ALL {
        if !shared.owed(kind).swap(false, Ordering::AcqRel) {
            continue;
        }
        let sent = send(manager, connection.take(), kind);
        if sent.is_err() {
            shared.owed(kind).store(true, Ordering::Release);
        }
        *connection = Some(sent?);
    }
    Ok(())
}

/// Sends one notification, and returns the connection that did. A transaction that only
/// notifies waits for the disk unless told not to, and has nothing there that could be lost.
fn send(
    manager: &Manager,
    connection: Option<AnyConnection>,
    kind: Kind,
) -> Result<AnyConnection, DbError> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => manager.open()?,
    };
    // For this transaction only: behind a pooler others get the connection after it, and their
    // commits have to reach the disk. All of it is one round trip.
    connection.batch_execute(&format!(
        "BEGIN; SET LOCAL synchronous_commit = off; NOTIFY {}; COMMIT",
        channel(kind)
    ))?;
    Ok(connection)
}

/// From a tenth of a second to five seconds, for ever. A longer pause would save little, and
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
    use diesel::sql_types::Text;
    use diesel::{QueryableByName, RunQueryDsl};

    use super::*;
    use crate::test_support::TestDb;

    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = Text)]
        synchronous_commit: String,
    }

    #[test]
    fn whoever_gets_the_connection_after_a_notification_commits_to_the_disk() {
        let test = TestDb::postgres();
        let manager = Manager {
            url: test.db.url().clone(),
            synchronous: SqliteSynchronous::Full,
            counter: Counter::default(),
        };
        let mut connection = send(&manager, None, Kind::Webhook).unwrap();
        let setting: Setting = diesel::sql_query("SHOW synchronous_commit")
            .get_result(&mut connection)
            .unwrap();
        assert_eq!(setting.synchronous_commit, "on");
    }
}
