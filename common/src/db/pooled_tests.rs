//! What the pool opens, and that a process may end while it does.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::manager::Manager;
use super::statements::Counter;
use super::{Db, DbError, DbOptions, IfMissing, SqliteSynchronous};
use crate::test_support::TestDb;

const LONG: Duration = Duration::from_secs(20);

/// The test server behind a door that counts, and that can be kept shut.
struct Door {
    port: u16,
    /// A line for each connection that is asked for.
    knocks: Receiver<()>,
    /// One for each that may come in.
    lets_in: Sender<()>,
}

impl Door {
    fn open(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (knock, knocks) = channel();
        let (lets_in, may_come_in) = channel();
        thread::spawn(move || {
            for caller in listener.incoming() {
                // The test is over.
                if knock.send(()).is_err() || may_come_in.recv().is_err() {
                    return;
                }
                lead_through(caller.unwrap(), TcpStream::connect(&server).unwrap());
            }
        });
        Self {
            port,
            knocks,
            lets_in,
        }
    }

    fn let_in(&self) {
        self.knocks.recv_timeout(LONG).unwrap();
        self.lets_in.send(()).unwrap();
    }
}

fn lead_through(caller: TcpStream, server: TcpStream) {
    for (mut from, mut to) in [
        (caller.try_clone().unwrap(), server.try_clone().unwrap()),
        (server, caller),
    ] {
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(size @ 1..) = from.read(&mut buffer) {
                if to.write_all(&buffer[..size]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

/// A database behind a door that has let in the connection for the migrations.
fn behind_a_door(test: &TestDb) -> (Door, Db) {
    let super::DatabaseUrl::Postgres(url) = test.db.url() else {
        unreachable!("it is PostgreSQL");
    };
    let (user, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let door = Door::open(server.to_owned());
    let options = DbOptions {
        url: format!("{user}@127.0.0.1:{}/{name}", door.port)
            .parse()
            .unwrap(),
        connections: 4,
        synchronous: SqliteSynchronous::Full,
        if_missing: IfMissing::Refuse,
    };
    let opened = thread::spawn(move || Db::open(&options).unwrap());
    door.let_in();
    (door, opened.join().unwrap())
}

fn nothing(db: &Db) {
    db.read_blocking(|_| Ok::<_, DbError>(())).unwrap();
}

#[test]
fn a_connection_that_nobody_waits_for_is_not_opened() {
    let test = TestDb::postgres();
    let (door, db) = behind_a_door(&test);
    let reader = db.clone();
    let read = thread::spawn(move || nothing(&reader));
    door.let_in();
    read.join().unwrap();
    nothing(&db);
    drop(db);
    assert!(door.knocks.try_recv().is_err());
}

/// For the child of the test below: the server, and that it is the child.
const CHILD_URL: &str = "BEADLE_TEST_EXIT_URL";

/// Without `openssl::init` before libpq's, 19 of 150 such processes died of SIGSEGV.
#[test]
fn a_process_may_end_while_its_threads_connect() {
    if let Ok(url) = std::env::var(CHILD_URL) {
        return connect_and_exit(&url);
    }
    let test = TestDb::postgres();
    let super::DatabaseUrl::Postgres(url) = test.db.url() else {
        unreachable!("it is PostgreSQL");
    };
    let name = "db::pooled_tests::a_process_may_end_while_its_threads_connect";
    for _ in 0..40 {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(CHILD_URL, url)
            .output()
            .unwrap();
        assert_eq!(child.status.code(), Some(7), "{:?}", child.status);
    }
}

fn connect_and_exit(url: &str) {
    let manager = Manager {
        url: url.parse().unwrap(),
        synchronous: SqliteSynchronous::Full,
        counter: Counter::default(),
    };
    for _ in 0..8 {
        let manager = manager.clone();
        thread::spawn(move || {
            loop {
                drop(manager.open());
            }
        });
    }
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    thread::sleep(Duration::from_micros(
        3000 + u64::from(moment.subsec_micros()) % 20_000,
    ));
    std::process::exit(7);
}
