//! The PostgreSQL server of a test run, and databases on it.
//!
//! `script/postgres` makes and cleans up the server; this module asks for one when
//! `BEADLE_TEST_POSTGRES` names none. `script/test` sets it, so that a runner which gives
//! every test a process of its own (`cargo nextest`) does not start a server for each.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};

/// The variable that names a running server: a URL of a role that may create databases.
pub const SERVER_VARIABLE: &str = "BEADLE_TEST_POSTGRES";

/// How long a server may take to recover from being killed.
const REVIVAL: Duration = Duration::from_secs(30);

/// A server, ours or given.
struct Server {
    url: String,
    /// Holds the pipe whose end stops a server of our own. A static is never dropped, but
    /// the kernel closes the pipe with the process, whatever ends that.
    _script: Option<Child>,
}

static SERVER: OnceLock<Server> = OnceLock::new();

fn server() -> &'static Server {
    SERVER.get_or_init(|| match std::env::var(SERVER_VARIABLE) {
        Ok(url) if !url.is_empty() => Server { url, _script: None },
        _ => start(&[]),
    })
}

fn start(options: &[&str]) -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../script/postgres");
    let mut child = Command::new(&script)
        .args(options)
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", script.display()));
    let stdout = child.stdout.take().expect("stdout was asked for");
    let mut url = String::new();
    BufReader::new(stdout)
        .read_line(&mut url)
        .expect("script/postgres prints text");
    let url = url.trim().to_owned();
    assert!(
        !url.is_empty(),
        "script/postgres started no server; its message stands above"
    );
    Server {
        url,
        _script: Some(child),
    }
}

/// A database of its own for one test, dropped with this value.
pub(crate) struct Database {
    name: String,
    server: String,
    url: String,
}

impl Database {
    /// Creates an empty database with a random name.
    pub(crate) fn create() -> Self {
        Self::create_on(&server().url)
    }

    /// The same on a certain server.
    pub(crate) fn create_on(server: &str) -> Self {
        let name = format!("beadle_test_{}", uuid::Uuid::new_v4().simple());
        administer(
            server,
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        );
        Self {
            url: with_database(server, &name),
            server: server.to_owned(),
            name,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Best effort: the server is thrown away soon, and a second panic hides the first.
        if let Ok(mut conn) = PgConnection::establish(&self.server) {
            let _ = conn.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

/// A server of a test's own, which that may kill.
pub struct MortalServer {
    server: Server,
    /// The file that keeps it from being started again.
    hold: PathBuf,
    data: PathBuf,
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    data_directory: String,
}

impl MortalServer {
    /// Starts one; gone when dropped.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start() -> Self {
        let server = start(&["--revive"]);
        let mut conn = PgConnection::establish(&server.url).expect("the server takes connections");
        let setting: Setting = sql_query("SHOW data_directory")
            .get_result(&mut conn)
            .expect("a server knows where its data is");
        let data = PathBuf::from(setting.data_directory);
        let folder = data.parent().expect("the data folder stands in another");
        Self {
            hold: folder.join("hold"),
            data,
            server,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    /// SIGKILL: it writes nothing more, and its connections end.
    ///
    /// # Panics
    /// When it was not running.
    pub fn kill(&self) {
        std::fs::write(&self.hold, "").expect("the server's folder can be written");
        let lock = std::fs::read_to_string(self.data.join("postmaster.pid"));
        let lock = lock.expect("a server that runs has a lock file");
        let pid = lock.lines().next().expect("its first line is the process");
        let sent = Command::new("kill").args(["-KILL", pid]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -KILL {pid}"
        );
    }

    /// Lets it be started again, and waits until it takes connections.
    ///
    /// # Panics
    /// When it does not.
    pub fn revive(&self) {
        std::fs::remove_file(&self.hold).expect("the server was killed before");
        let deadline = Instant::now() + REVIVAL;
        while PgConnection::establish(&self.server.url).is_err() {
            assert!(Instant::now() < deadline, "the server does not come back");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn administer(server: &str, sql: &str) {
    PgConnection::establish(server)
        .expect("the PostgreSQL server of the tests takes connections")
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The same server and role, another database.
fn with_database(server: &str, name: &str) -> String {
    let (bare, query) = match server.split_once('?') {
        Some((bare, query)) => (bare, format!("?{query}")),
        None => (server, String::new()),
    };
    let authority = match bare.split_once("://") {
        Some((_, rest)) => rest.split('/').next().unwrap_or(rest),
        None => panic!("{SERVER_VARIABLE} is `{server}`: expected postgres://…"),
    };
    format!("postgres://{authority}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_keeps_server_role_and_options() {
        assert_eq!(
            with_database(
                "postgres://me:pw@127.0.0.1:5433/postgres?sslmode=disable",
                "x"
            ),
            "postgres://me:pw@127.0.0.1:5433/x?sslmode=disable"
        );
        assert_eq!(
            with_database("postgresql://localhost", "x"),
            "postgres://localhost/x"
        );
    }
}
