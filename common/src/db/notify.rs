//! Wake-up: tells workers that the outbox has something for them.
//!
//! Within one process it is a flag. Between processes on PostgreSQL it is `NOTIFY`,
//! never inside the writing transaction (it takes a lock on the whole database across
//! the commit, which costs most of the write rate) but after it, on a connection of
//! its own, at most one under way: many commits, one wake-up. A wake-up may be lost;
//! workers poll as well.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use diesel::connection::SimpleConnection;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_util::sync::CancellationToken;

use super::error::one_line;
use super::manager::{Manager, SqliteSynchronous};
use super::pool::Db;
use super::url::DatabaseUrl;

const CHANNEL: &str = "beadle_outbox";

/// Wakes workers: those of this process at once, those of others through the database.
#[derive(Debug, Clone)]
pub struct Wake {
    local: Arc<Notify>,
    /// PostgreSQL only: the notifier thread. Capacity one, so that wake-ups merge.
    remote: Option<SyncSender<()>>,
}

impl Wake {
    /// For processes that write to the outbox.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        let remote = match db.url() {
            DatabaseUrl::Sqlite(_) => None,
            url @ DatabaseUrl::Postgres(_) => start_notifier(url.clone()),
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
            let _ = remote.try_send(());
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
            let wait = pause.next_backoff().unwrap_or(Duration::from_secs(30));
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
        let (client, mut connection) = tokio_postgres::connect(url, NoTls).await?;
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

fn start_notifier(url: DatabaseUrl) -> Option<SyncSender<()>> {
    let (sender, receiver) = sync_channel(1);
    let manager = Manager {
        url,
        synchronous: SqliteSynchronous::Full,
    };
    let started = thread::Builder::new()
        .name("notifier".to_owned())
        .spawn(move || notify_loop(&manager, &receiver));
    match started {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::warn!("no notifier thread, workers will poll: {error}");
            None
        }
    }
}

fn notify_loop(manager: &Manager, wakes: &Receiver<()>) {
    let mut connection = None;
    let mut pause = endless_backoff();
    while wakes.recv().is_ok() {
        let sent = match connection.take().map_or_else(|| manager.open(), Ok) {
            Ok(mut open) => open
                .batch_execute(&format!("NOTIFY {CHANNEL}"))
                .map(|()| open)
                .map_err(Into::into),
            Err(error) => Err(error),
        };
        match sent {
            Ok(open) => {
                connection = Some(open);
                pause.reset();
            }
            Err(error) => {
                tracing::warn!(
                    "cannot notify the workers, they will poll: {}",
                    one_line(&error)
                );
                thread::sleep(pause.next_backoff().unwrap_or(Duration::from_secs(30)));
            }
        }
    }
}

/// From a tenth of a second to half a minute, for ever.
fn endless_backoff() -> ExponentialBackoff {
    ExponentialBackoff {
        initial_interval: Duration::from_millis(100),
        max_interval: Duration::from_secs(30),
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    }
}
