//! Wake-up: tells workers that the outbox has something for them.
//!
//! Within one process it is a flag. Between processes on PostgreSQL it is `NOTIFY`, as a rule
//! after the writing transaction, on a connection of its own, at most one under way: many
//! commits, one wake-up. A commit that notifies takes a lock on the whole database, which
//! costs most of the write rate; so only one that comes after a pause does ([`Notice`]). A
//! wake-up may be lost; workers poll as well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_util::sync::CancellationToken;

use super::error::one_line;
use super::notifier::{LONGEST_PAUSE, Notice, Notifier, channel, endless_backoff};
use super::pool::Db;
use super::url::DatabaseUrl;
use crate::kind::Kind;

/// How long a listener waits for a connection, and before it asks a silent server
/// whether it is still there. Meanwhile workers poll, so it need not be quick.
const PATIENCE: Duration = Duration::from_secs(30);

/// Wakes workers: those of this process at once, those of others through the database.
#[derive(Debug, Clone)]
pub struct Wake {
    local: Arc<LocalWake>,
    /// PostgreSQL only.
    remote: Option<Arc<Notifier>>,
}

/// One for each kind of delivery.
#[derive(Debug, Default)]
struct LocalWake {
    webhooks: Notify,
    emails: Notify,
}

impl LocalWake {
    fn of(&self, kind: Kind) -> &Notify {
        match kind {
            Kind::Webhook => &self.webhooks,
            Kind::Email => &self.emails,
        }
    }

    fn wake(&self, kind: Kind) {
        self.of(kind).notify_waiters();
    }
}

impl Wake {
    /// For processes that write to the outbox.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        let remote = match db.url() {
            DatabaseUrl::Sqlite(_) => None,
            url @ DatabaseUrl::Postgres(_) => Notifier::start(url.clone()).map(Arc::new),
        };
        Self {
            local: Arc::default(),
            remote,
        }
    }

    /// Call it after a commit that left work in the outbox. Never blocks.
    pub fn wake(&self) {
        for kind in Kind::ALL {
            self.wake_for(kind);
        }
    }

    /// The same, if all that was left is of one kind: the other drain may sleep on.
    pub fn wake_for(&self, kind: Kind) {
        self.local.wake(kind);
        if let Some(remote) = &self.remote {
            remote.notify(kind);
        }
    }

    /// The same, after a commit that told the other processes itself.
    pub fn wake_here(&self, kind: Kind) {
        self.local.wake(kind);
    }

    /// What a statement that leaves work of this kind should tell the other processes itself.
    /// None: better call [`Wake::wake_for`] after it.
    #[must_use]
    pub fn notice(&self, kind: Kind, now: Instant) -> Option<Notice> {
        self.remote.as_ref()?.notice(kind, now)
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
    local: Arc<LocalWake>,
}

impl WakeSource {
    /// A future that completes at the next wake-up for this kind after this call. Call it
    /// *before* looking for work, so that none falls between the look and the wait.
    pub fn subscribe(&self, kind: Kind) -> impl Future<Output = ()> + '_ {
        let mut waiting = Box::pin(self.local.of(kind).notified());
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
        let [webhooks, emails] = Kind::ALL.map(channel);
        let listen = format!("LISTEN {webhooks}; LISTEN {emails}");
        let mut listening = Box::pin(client.batch_execute(&listen));
        let mut subscribed = false;
        loop {
            tokio::select! {
                result = &mut listening, if !subscribed => {
                    result?;
                    subscribed = true;
                    pause.reset();
                    // Whatever came while nobody listened.
                    Kind::ALL.into_iter().for_each(|kind| self.local.wake(kind));
                }
                message = std::future::poll_fn(|cx| connection.poll_message(cx)) => match message {
                    Some(Ok(AsyncMessage::Notification(notification))) => {
                        let said = |kind: &Kind| channel(*kind) == notification.channel();
                        Kind::ALL.into_iter().filter(said).for_each(|kind| self.local.wake(kind));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                },
            }
        }
    }
}
