//! Databases for tests: a temporary SQLite file, and a database of its own on the
//! PostgreSQL server that `script/test` starts and names in `BEADLE_TEST_POSTGRES`.
//! Other crates' tests get them with the feature `test-support`; no program does.

#![expect(
    clippy::expect_used,
    reason = "a test without its database has to fail"
)]

mod contents;

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

#[cfg(test)]
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl};
use tempfile::TempDir;

use crate::db::{
    AnyConnection, Db, DbError, DbOptions, IfMissing, Json, JsonText, SqliteSynchronous,
};
use crate::id::{EmailId, TenantId, WebhookId};
use crate::mail::Setup;
use crate::model::email::{EmailRow, Mailbox};
use crate::model::tenant::Tenant;
use crate::model::webhook::Webhook;
use crate::outbox::{ClaimRequest, Destinations, Kind};
use crate::settlement::DestinationPolicy;
use crate::unix_millis::UnixMillis;
pub use contents::{everything, holds};

/// A migrated, empty database that vanishes with this value.
#[derive(Debug)]
pub struct TestDb {
    /// The database.
    pub db: Db,
    _folder: Option<TempDir>,
    _postgres: Option<PostgresDatabase>,
}

#[derive(Debug)]
struct PostgresDatabase {
    server: String,
    name: String,
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        if let Ok(mut connection) = PgConnection::establish(&self.server) {
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            let _ = connection.batch_execute(&drop);
        }
    }
}

fn open(url: &str) -> Db {
    Db::open(&DbOptions {
        url: url.parse().expect("a database URL"),
        connections: 4,
        synchronous: SqliteSynchronous::Normal,
        if_missing: IfMissing::Create,
    })
    .expect("the test database opens")
}

impl TestDb {
    /// A SQLite file of its own.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let db = open(&format!("sqlite://{}/test.db", folder.path().display()));
        Self {
            db,
            _folder: Some(folder),
            _postgres: None,
        }
    }

    /// A database of its own on the PostgreSQL server for tests.
    ///
    /// # Panics
    /// If there is no such server.
    #[must_use]
    pub fn postgres() -> Self {
        let server = std::env::var("BEADLE_TEST_POSTGRES").expect(
            "BEADLE_TEST_POSTGRES is not set: run `script/test`, which starts a PostgreSQL server",
        );
        let name = format!("unit_{}", uuid::Uuid::new_v4().simple());
        let mut connection = PgConnection::establish(&server).expect("the test server answers");
        connection
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .expect("a database can be created");
        let (base, _) = server.rsplit_once('/').expect("a URL with a database name");
        let db = open(&format!("{base}/{name}"));
        Self {
            db,
            _folder: None,
            _postgres: Some(PostgresDatabase { server, name }),
        }
    }
}

/// Another process, which holds something until it is told to let go: on SQLite all there is.
#[derive(Debug)]
pub struct Holder {
    release: Sender<()>,
    thread: JoinHandle<()>,
}

impl Holder {
    /// On PostgreSQL it holds what this statement locks.
    ///
    /// # Panics
    /// If it cannot have it.
    #[must_use]
    pub fn new(db: &Db, on_postgres: &'static str) -> Self {
        let other = Db::open(&DbOptions {
            url: db.url().clone(),
            connections: 1,
            synchronous: SqliteSynchronous::Normal,
            if_missing: IfMissing::Refuse,
        })
        .expect("the database opens again");
        let ((release, released), (holds, held)) = (channel::<()>(), channel());
        let hold = move |connection: &mut AnyConnection| {
            if let AnyConnection::Pg(connection) = connection {
                connection.batch_execute(on_postgres)?;
            }
            let told = holds.send(());
            told.expect("somebody waits");
            let _ = released.recv();
            Ok::<_, DbError>(())
        };
        let hold = move || other.write_blocking(hold).expect("it holds something");
        let thread = std::thread::spawn(hold);
        held.recv().expect("it holds something");
        Self { release, thread }
    }

    /// Has it let go.
    ///
    /// # Panics
    /// If it had to before.
    pub fn release(self) {
        drop(self.release);
        self.thread.join().expect("it has held it until now");
    }
}

/// Changes a database, which has to go well.
#[cfg(test)]
pub(crate) fn write<T: Send + 'static>(
    db: &Db,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
) -> T {
    db.write_blocking(move |connection| Ok::<_, DbError>(work(connection)?))
        .expect("the database takes it")
}

/// Nobody else writes as long as the returned connection is there: on SQLite it has the one
/// transaction that does, on PostgreSQL the tables that are pruned and claimed from.
#[cfg(test)]
pub(crate) fn hold_writes(db: &Db) -> AnyConnection {
    use crate::db::DatabaseUrl;
    match db.url() {
        DatabaseUrl::Sqlite(path) => {
            let path = path.to_str().expect("a path in UTF-8");
            let mut connection = diesel::SqliteConnection::establish(path).expect("the file opens");
            connection
                .batch_execute("BEGIN IMMEDIATE")
                .expect("nobody writes");
            AnyConnection::Sqlite(connection)
        }
        DatabaseUrl::Postgres(url) => {
            let mut connection = PgConnection::establish(url).expect("the server answers");
            connection
                .batch_execute(
                    "BEGIN; LOCK TABLE deliveries, attempts, events, emails, event_logs, outbox
                     IN SHARE MODE",
                )
                .expect("nobody writes");
            AnyConnection::Pg(connection)
        }
    }
}

/// A tenant with these settings for mail.
///
/// # Panics
/// If they are no object.
#[must_use]
pub fn tenant(name: &str, email_configuration: &serde_json::Value) -> Tenant {
    let settings = email_configuration.as_object().expect("an object");
    Tenant {
        id: TenantId::random(),
        name: name.to_owned(),
        name_normalized: name.to_lowercase(),
        is_default: false,
        data: JsonText::empty_object(),
        email_configuration: Json(settings.clone()),
        smtp_password: None,
        event_configuration: Json(serde_json::Map::new()),
        settings: Json(serde_json::Map::new()),
        insert_instant: UnixMillis::from_millis(0),
        last_update_instant: UnixMillis::from_millis(0),
    }
}

/// A mail of this tenant to this address.
#[must_use]
pub fn email(tenant: TenantId, to: &str) -> EmailRow {
    let id = EmailId::sequential();
    EmailRow {
        id,
        tenant_id: tenant,
        action_log_id: None,
        event_id: None,
        user_id: None,
        template_id: None,
        template_version: 1,
        message_id: format!("<{id}@beadle.example>"),
        from_address: "news@beadle.example".to_owned(),
        from_display: None,
        reply_to: None,
        to_addresses: Json(vec![Mailbox {
            address: to.to_owned(),
            display: None,
        }]),
        cc_addresses: Json(Vec::new()),
        bcc_addresses: Json(Vec::new()),
        subject: "News".to_owned(),
        html: "<p>News</p>".to_owned(),
        text: "News".to_owned(),
        headers: Json(Vec::new()),
        subject_locale: None,
        from_name_locale: None,
        html_locale: None,
        text_locale: None,
        insert_instant: UnixMillis::from_millis(0),
        preferred_languages: Json(Vec::new()),
    }
}

/// The same to a user, with `text` wherever there may be any.
#[cfg(test)]
pub(crate) fn email_saying(tenant: TenantId, user: crate::id::UserId, text: &str) -> EmailRow {
    EmailRow {
        user_id: Some(user),
        subject: text.to_owned(),
        html: text.to_owned(),
        text: text.to_owned(),
        ..email(tenant, &format!("{text}@hooli.example"))
    }
}

/// A webhook that wants all actions of all tenants.
#[must_use]
pub fn webhook(id: WebhookId, headers: Vec<u8>) -> Webhook {
    Webhook {
        id,
        url: "https://receiver.example/".to_owned(),
        connect_timeout: 1000,
        read_timeout: 1000,
        global: true,
        events_enabled: Json([("user.action".to_owned(), true)].into_iter().collect()),
        user_action_enabled: true,
        headers,
        ..Webhook::default()
    }
}

/// Makes two tests of each function that is named: `name::sqlite` and `name::postgres`. What comes
/// before the names is the attribute of a test, `async` where it is, the new database, and what is
/// made of it for the function, as seen from a module below.
///
/// ```ignore
/// on_both_databases!(#[tokio::test] async |test| super::World::new(&test.db); a_promise);
/// ```
#[macro_export]
macro_rules! on_both_databases {
    (#[$attribute:meta] |$test:ident| $world:expr; $($name:ident),+ $(,)?) => {$(
        mod $name {
            #[$attribute]
            fn sqlite() {
                let $test = $crate::test_support::TestDb::sqlite();
                super::$name($world);
            }

            #[$attribute]
            fn postgres() {
                let $test = $crate::test_support::TestDb::postgres();
                super::$name($world);
            }
        }
    )+};
    (#[$attribute:meta] async |$test:ident| $world:expr; $($name:ident),+ $(,)?) => {$(
        mod $name {
            #[$attribute]
            async fn sqlite() {
                let $test = $crate::test_support::TestDb::sqlite();
                super::$name($world).await;
            }

            #[$attribute]
            async fn postgres() {
                let $test = $crate::test_support::TestDb::postgres();
                super::$name($world).await;
            }
        }
    )+};
}

/// [`on_both_databases!`] for `fn name(db: &Db)`.
#[cfg(test)]
macro_rules! both_databases {
    ($($name:ident),+ $(,)?) => {
        $crate::on_both_databases!(#[test] |test| &test.db; $($name),+);
    };
}
#[cfg(test)]
pub(crate) use both_databases;

/// Keeps others from changing the rows of a table (on SQLite: anything) until the transaction
/// ends.
///
/// # Panics
/// If the database does not do it.
pub fn hold_rows(connection: &mut AnyConnection, table: &str) {
    if let AnyConnection::Pg(connection) = connection {
        diesel::sql_query(format!("SELECT 1 FROM {table} FOR UPDATE"))
            .execute(connection)
            .expect("the rows can be locked");
    }
}

/// Returns once so many others wait for what this connection holds. Those who wait for
/// SQLite's writer cannot be seen there: then it returns when nothing is asked any more.
///
/// # Panics
/// If nobody comes.
pub fn until_waiting(db: &Db, connection: &mut AnyConnection, others: i64) {
    let pause = std::time::Duration::from_millis(10);
    let (mut seen, mut quiet) = (db.statements().run, 0);
    for _ in 0..1000 {
        std::thread::sleep(pause);
        let all_wait = match connection {
            AnyConnection::Pg(connection) => waiting(connection) >= others,
            AnyConnection::Sqlite(_) => {
                let now = db.statements().run;
                quiet = if now == seen { quiet + 1 } else { 0 };
                seen = now;
                quiet > 30
            }
        };
        if all_wait {
            return;
        }
    }
    panic!("{others} others should have waited");
}

/// How many connections to this database wait for a lock.
fn waiting(connection: &mut PgConnection) -> i64 {
    let count = diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN (
            SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                AND pg_stat_clear_snapshot() IS NOT NULL)",
    );
    count.get_result(connection).expect("locks can be counted")
}

/// Gives destinations up after five days.
#[must_use]
pub fn destination_policy() -> DestinationPolicy {
    DestinationPolicy {
        disable_after: Some(std::time::Duration::from_secs(5 * 24 * 60 * 60)),
        mail: Setup {
            mail_from: Mailbox {
                address: "beadle@hooli.example".to_owned(),
                display: Some("Beadle".to_owned()),
            },
            base_url: None,
        },
    }
}

/// Asks for so many rows of this kind, of one destination or of several, for a minute.
#[must_use]
pub fn claim_request(kind: Kind, now: UnixMillis, rows: usize) -> ClaimRequest {
    ClaimRequest {
        kind,
        now,
        lease_end: now.plus(std::time::Duration::from_secs(60)),
        owner: "test".to_owned(),
        limit: rows,
        per_destination: rows,
        destinations: Destinations::default(),
    }
}
