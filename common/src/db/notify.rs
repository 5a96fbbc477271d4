//! Wake-up: tells workers that the outbox has something for them.
//!
//! Within one process it is a flag. Between processes on PostgreSQL it is `NOTIFY`,
//! never inside the writing transaction (it takes a lock on the whole database across
//! the commit, which costs most of the write rate) but after it, on a connection of
//! its own, at most one under way: many commits, one wake-up. A wake-up may be lost;
//! workers poll as well.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use diesel::connection::SimpleConnection;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_util::sync::CancellationToken;

use super::connection::AnyConnection;
use super::error::{DbError, one_line};
use super::manager::{Manager, SqliteSynchronous};
use super::pool::Db;
use super::released::{Released, held};
use super::statements::Counter;
use super::url::DatabaseUrl;

const CHANNEL: &str = "beadle_outbox";

/// Between two tries to reach a database that is down.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After a notification, before the next. A busy API commits hundreds of times a second, and
/// each notification is a transaction of PostgreSQL's and a look of every worker; whoever
/// comes after a pause still notifies at once.
const SPACING: Duration = Duration::from_millis(2);

/// How long a listener waits for a connection, and before it asks a silent server
/// whether it is still there. Meanwhile workers poll, so it need not be quick.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a process that ends waits for its last notification to go out.
const FAREWELL: Duration = Duration::from_secs(1);

/// Wakes workers: those of this process at once, those of others through the database.
#[derive(Debug, Clone)]
pub struct Wake {
    local: Arc<Notify>,
    /// PostgreSQL only.
    remote: Option<Arc<Notifier>>,
}

/// The notifier thread. Without this, it ends.
#[derive(Debug)]
struct Notifier {
    /// Capacity one, so that wake-ups merge.
    wakes: SyncSender<()>,
    /// Dropped after the sender: fields go in this order.
    _released: Released,
}

impl Wake {
    /// For processes that write to the outbox.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        let remote = match db.url() {
            DatabaseUrl::Sqlite(_) => None,
            url @ DatabaseUrl::Postgres(_) => start_notifier(url.clone()).map(Arc::new),
        };
        Self {
            local: Arc::new(Notify::new()),
            remote,
        }
    }

    /// Call it after a commit that left work in the outbox. Never blocks.
    pub fn wake(&self) {
        self.local.notify_waiters();
        if let Some(remote) = &self.remote {
            // Full: a notification is about to go out anyway.
            let _ = remote.wakes.try_send(());
        }
    }

    /// What a worker of this process waits on.
    #[must_use]
    pub fn source(&self) -> WakeSource {
        WakeSource {
            local: Arc::clone(&self.local),
        }
    }
}

/// The waiting end of wake-ups, from this process and from others.
#[derive(Debug, Clone)]
pub struct WakeSource {
    local: Arc<Notify>,
}

impl WakeSource {
    /// A future that completes at the next wake-up after this call. Call it *before*
    /// looking for work, so that none falls between the look and the wait.
    pub fn subscribe(&self) -> impl Future<Output = ()> + '_ {
        let mut waiting = Box::pin(self.local.notified());
        waiting.as_mut().enable();
        waiting
    }

    /// Passes on the wake-ups of other processes until `stop`. Returns at once on SQLite,
    /// where other processes are heard by polling only.
    pub async fn listen(&self, url: &DatabaseUrl, stop: CancellationToken) {
        let DatabaseUrl::Postgres(url) = url else {
            return;
        };
        let mut pause = endless_backoff();
        while !stop.is_cancelled() {
            let result = tokio::select! {
                () = stop.cancelled() => return,
                result = self.listen_once(url, &mut pause) => result,
            };
            if let Err(error) = result {
                tracing::warn!(
                    "waiting for notifications failed, polling meanwhile: {}",
                    one_line(&error)
                );
            }
            let wait = pause.next_backoff().unwrap_or(LONGEST_PAUSE);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn listen_once(
        &self,
        url: &str,
        pause: &mut ExponentialBackoff,
    ) -> Result<(), tokio_postgres::Error> {
        let mut config: tokio_postgres::Config = url.parse()?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        // A server that vanished without a word would never be missed.
        config.keepalives_idle(PATIENCE);
        let (client, mut connection) = config.connect(NoTls).await?;
        let listen = format!("LISTEN {CHANNEL}");
        let mut listening = Box::pin(client.batch_execute(&listen));
        let mut subscribed = false;
        loop {
            tokio::select! {
                result = &mut listening, if !subscribed => {
                    result?;
                    subscribed = true;
                    pause.reset();
                    // Whatever came while nobody listened.
                    self.local.notify_waiters();
                }
                message = std::future::poll_fn(|cx| connection.poll_message(cx)) => match message {
                    Some(Ok(AsyncMessage::Notification(_))) => self.local.notify_waiters(),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                },
            }
        }
    }
}

fn start_notifier(url: DatabaseUrl) -> Option<Notifier> {
    let (wakes, receiver) = sync_channel(1);
    let (held, _released) = held(FAREWELL);
    let manager = Manager {
        url,
        synchronous: SqliteSynchronous::Full,
        counter: Counter::default(),
    };
    let started = thread::Builder::new()
        .name("notifier".to_owned())
        .spawn(move || {
            let _held = held;
            notify_loop(&manager, &receiver);
        });
    match started {
        Ok(_) => Some(Notifier { wakes, _released }),
        Err(error) => {
            tracing::warn!("no notifier thread, workers will poll: {error}");
            None
        }
    }
}

fn notify_loop(manager: &Manager, wakes: &Receiver<()>) {
    let mut connection = None;
    let mut pause = endless_backoff();
    let mut owed = false;
    // What could not be told is told as soon as it can be.
    while owed || wakes.recv().is_ok() {
        let sent = match connection.take().map_or_else(|| open(manager), Ok) {
            Ok(mut open) => open
                .batch_execute(&format!("NOTIFY {CHANNEL}"))
                .map(|()| open)
                .map_err(Into::into),
            Err(error) => Err(error),
        };
        match sent {
            Ok(open) => {
                connection = Some(open);
                owed = false;
                pause.reset();
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
                owed = true;
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
fn endless_backoff() -> ExponentialBackoff {
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
