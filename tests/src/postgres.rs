//! The PostgreSQL server of a test run, and databases on it.
//!
//! `script/postgres` makes and cleans up the server; this module asks for one when
//! `BEADLE_TEST_POSTGRES` names none. `script/test` sets it, so that a runner which gives
//! every test a process of its own (`cargo nextest`) does not start a server for each.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

/// The variable that names a running server: a URL of a role that may create databases.
pub const SERVER_VARIABLE: &str = "BEADLE_TEST_POSTGRES";

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
        _ => start(),
    })
}

fn start() -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../script/postgres");
    let mut child = Command::new(&script)
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
    url: String,
}

impl Database {
    /// Creates an empty database with a random name.
    pub(crate) fn create() -> Self {
        let name = format!("beadle_test_{}", uuid::Uuid::new_v4().simple());
        administer(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        Self {
            url: with_database(&server().url, &name),
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
        if let Ok(mut conn) = PgConnection::establish(&server().url) {
            let _ = conn.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

fn administer(sql: &str) {
    PgConnection::establish(&server().url)
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
