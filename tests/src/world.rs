//! Everything that one end-to-end test needs, started together: a database, the API, the
//! workers, a webhook receiver, a mail server, and a client with a key.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use hyper::Method;
use tempfile::TempDir;

use crate::backend::{Backend, TestDatabase};
use crate::client::Client;
use crate::mail_server::MailServer;
use crate::process::{Invocation, Process, Program, Settings, free_port};
use crate::receiver::Receiver;

/// How long a server may take until it answers; a debug build on a busy machine is slow.
const START: Duration = Duration::from_secs(60);

/// How long a graceful stop may take: its grace period and some.
const STOP: Duration = Duration::from_secs(30);

/// What a test's world is made of, before it starts.
pub struct TestAppBuilder {
    db: TestDatabase,
    workers: Option<usize>,
    settings: Vec<(String, Option<String>)>,
}

impl TestAppBuilder {
    /// So many worker processes, and none inside the API. Otherwise: what an operator gets
    /// by default, the one inside the API on SQLite and one process on PostgreSQL.
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = Some(count);
        self
    }

    /// Sets an environment variable of all processes.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings
            .push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Leaves an environment variable of all processes unset that has a value otherwise.
    #[must_use]
    pub fn unset(mut self, name: &str) -> Self {
        self.settings.push((name.to_owned(), None));
        self
    }

    /// Starts it, and waits until the API answers.
    pub async fn start(self) -> TestApp {
        let dir = TempDir::with_prefix("beadle-app-").expect("a temporary folder");
        let receiver = Receiver::start().await;
        let mail = MailServer::start().await;
        let key = format!("key-{}", uuid::Uuid::new_v4());
        let address = format!("127.0.0.1:{}", free_port());
        let mut settings = settings_for(&self.db);
        settings
            .set("BEADLE_LISTEN", &address)
            .set("BEADLE_API_KEY", &key)
            .set("BEADLE_WEBHOOK_ALLOW", "127.0.0.0/8,::1/128")
            .set("BEADLE_MAIL_ALLOW", "127.0.0.0/8,::1/128")
            .set("BEADLE_MAIL", mail.url());
        if self.workers.is_some() {
            settings.set("BEADLE_EMBEDDED_WORKER", "false");
        }
        for (name, value) in &self.settings {
            match value {
                Some(value) => settings.set(name, value),
                None => settings.remove(name),
            };
        }
        let workers = self.workers.unwrap_or(match self.db.backend() {
            Backend::Sqlite => 0,
            Backend::Postgres => 1,
        });
        let mut app = TestApp {
            client: Client::new(&format!("http://{address}")).with_key(&key),
            key,
            api: None,
            workers: Vec::new(),
            started: 0,
            receiver,
            mail,
            settings,
            db: self.db,
            dir,
        };
        app.start_api().await;
        for _ in 0..workers {
            app.start_worker();
        }
        app
    }
}

/// The settings that every process on this database shares. Encrypted columns need one
/// secret key for all, so it is given and not made.
pub fn settings_for(db: &TestDatabase) -> Settings {
    let half = || uuid::Uuid::new_v4().simple().to_string();
    let mut settings = Settings::default();
    settings
        .set("DATABASE_URL", db.url())
        .set("BEADLE_SECRET_KEY", format!("{}{}", half(), half()))
        .set("RUST_LOG", "info");
    settings
}

/// A running Beadle with all that surrounds it. Dropping it kills every process first and
/// removes the database last.
pub struct TestApp {
    /// Talks to the API, with a key that may do everything.
    pub client: Client,
    /// That key.
    pub key: String,
    api: Option<Process>,
    workers: Vec<Process>,
    started: usize,
    /// Where webhooks may be sent.
    pub receiver: Receiver,
    /// Where mail goes.
    pub mail: MailServer,
    /// The environment of the processes; a change counts for those started later.
    pub settings: Settings,
    /// The database.
    pub db: TestDatabase,
    /// The processes' working directory.
    pub dir: TempDir,
}

impl TestApp {
    /// The usual world on this database.
    pub async fn start(db: TestDatabase) -> Self {
        Self::builder(db).start().await
    }

    /// A world to be changed before it starts.
    pub fn builder(db: TestDatabase) -> TestAppBuilder {
        TestAppBuilder {
            db,
            workers: None,
            settings: Vec::new(),
        }
    }

    /// Starts the API, for the first time or again, and waits until it answers.
    pub async fn start_api(&mut self) {
        let serve = Invocation::new(Program::Api, &["serve"], &self.settings, self.dir.path());
        let mut api = serve.start("beadle-api");
        let status = self.client.without_key();
        let deadline = Instant::now() + START;
        loop {
            let answer = status.try_send(Method::GET, "/api/status", None).await;
            if answer.is_ok_and(|reply| reply.status == 200) {
                break;
            }
            if let Some(status) = api.ended() {
                panic!("beadle-api serve ended at start with {status}");
            }
            assert!(Instant::now() < deadline, "beadle-api does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.api = Some(api);
    }

    /// Starts one more worker process and returns its place among [`Self::worker`]s.
    pub fn start_worker(&mut self) -> usize {
        self.started += 1;
        let work = Invocation::new(Program::Worker, &[], &self.settings, self.dir.path());
        let name = format!("beadle-worker-{}", self.started);
        self.workers.push(work.start(&name));
        self.workers.len() - 1
    }

    /// The API's process.
    ///
    /// # Panics
    /// When it has been stopped.
    pub fn api(&mut self) -> &mut Process {
        self.api.as_mut().expect("the API runs")
    }

    /// A worker's process, counted from 0.
    ///
    /// # Panics
    /// When there is none.
    pub fn worker(&mut self, place: usize) -> &mut Process {
        let worker = self.workers.get_mut(place);
        worker.expect("there are that many workers")
    }

    /// Stops the API with SIGTERM.
    pub async fn stop_api(&mut self) -> ExitStatus {
        self.api().terminate(STOP).await
    }

    /// A command of `beadle-api` on this database, run to its end.
    pub async fn command(&self, args: &[&str]) -> crate::process::Finished {
        Invocation::new(Program::Api, args, &self.settings, self.dir.path())
            .run(START)
            .await
    }
}
