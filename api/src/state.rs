//! [`State`]: what every handler works with. Built once by `main`, and in code by tests.

use std::fmt;
use std::sync::Arc;

use beadle_common::db::{AnyConnection, Db, Wake};
use beadle_common::erasure::Erasure;
use beadle_common::lifecycle::Setup;
use beadle_common::seal::Sealer;
use beadle_common::unix_millis::UnixMillis;
use beadle_worker::{ConsentClient, Metrics};
use ipnet::IpNet;

use crate::background::Background;
use crate::error::ApiError;
use crate::hashing::Hashing;
use crate::http_metrics::HttpMetrics;
use crate::key_lookup::KeyFinder;
use crate::login_failures::PendingFailures;
use crate::search_limit::SearchLimit;

/// How often a change is tried while others are in its way.
const TRIES: u32 = 3;

/// What time it is. Handlers read it once per request.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// Settings of the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Largest request body, in bytes. Too high lets a few clients fill the memory.
    pub body_limit: usize,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024,
            trusted_proxies: Vec::new(),
        }
    }
}

/// What handlers share. They never see a connection pool.
#[derive(Clone)]
pub struct State {
    /// The database.
    pub db: Db,
    /// Seals and opens secrets.
    pub sealer: Sealer,
    /// Looks up API keys.
    pub(crate) keys: KeyFinder,
    /// Wakes the workers after a commit.
    pub wake: Wake,
    /// Asks webhooks before an action happens.
    pub consent_client: ConsentClient,
    /// What goes on when its caller has hung up.
    pub background: Background,
    /// Hashes passwords.
    pub hashing: Hashing,
    /// Wrong passwords that are being counted.
    pub(crate) failures: PendingFailures,
    /// What the life cycle of an action needs to know.
    pub setup: Setup,
    /// Settings.
    pub settings: Settings,
    /// The clock.
    pub clock: Clock,
    /// What is counted in this process.
    pub metrics: Metrics,
    /// How many searches run at the same time.
    pub(crate) searches: SearchLimit,
    /// What is counted of requests.
    pub(crate) http_metrics: HttpMetrics,
}

impl State {
    /// With the clock of this machine, and the runtime that this is called on.
    ///
    /// # Errors
    /// If requests are counted in these metrics already.
    pub fn new(
        db: Db,
        sealer: Sealer,
        wake: Wake,
        consent_client: ConsentClient,
        setup: Setup,
        settings: Settings,
        metrics: Metrics,
    ) -> prometheus::Result<Self> {
        Ok(Self {
            keys: KeyFinder::new(db.clone()),
            searches: SearchLimit::new(&db),
            db,
            sealer,
            wake,
            consent_client,
            background: Background::here(),
            hashing: Hashing::default(),
            failures: PendingFailures::default(),
            setup,
            settings,
            clock: Arc::new(UnixMillis::now),
            http_metrics: HttpMetrics::new(metrics.registry())?,
            metrics,
        })
    }

    /// Checks and writes in one transaction. When somebody else's change came in between
    /// the two, or stood in each other's way, it is done once more: a value that has become
    /// a duplicate is then found by the check, and reported as what it is.
    ///
    /// # Errors
    /// What `work` fails with; nothing is stored then.
    pub async fn write<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        F: Fn(&mut AnyConnection) -> Result<T, ApiError> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let work = Arc::new(work);
        for _ in 1..TRIES {
            let work = Arc::clone(&work);
            match self.db.write(move |connection| work(connection)).await {
                Err(ApiError::Conflict) => {}
                other => return other,
            }
        }
        self.db.write(move |connection| work(connection)).await
    }

    /// Goes on with an erasure, whether the returned future is waited for or not. False: it is
    /// not at its end, and the workers will see to it.
    pub fn erasing(&self, erasure: Erasure, now: UnixMillis) -> impl Future<Output = bool> + use<> {
        let db = self.db.clone();
        let erasing = self.background.begin(async move {
            let carried_out = erasure.carry_out(&db, now).await;
            carried_out.inspect_err(|error| tracing::warn!("an erasure is left for later: {error}"))
        });
        async move { matches!(erasing.await, Ok(Ok(()))) }
    }

    /// Reads outside any transaction.
    ///
    /// # Errors
    /// What `work` fails with.
    pub async fn read<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, ApiError> + Send + 'static,
        T: Send + 'static,
    {
        self.db.read(work).await
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("db", &self.db)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
