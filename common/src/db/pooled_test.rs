//! What the pool opens, and that nothing is half open when it is gone.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

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

#[test]
fn whoever_lets_go_of_a_database_waits_for_a_connection_that_is_half_open() {
    let test = TestDb::postgres();
    let (door, db) = behind_a_door(&test);
    let (working, may_stop) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let first = {
        let (db, working, may_stop) = (db.clone(), working.clone(), may_stop.clone());
        thread::spawn(move || {
            db.read_blocking(|_| {
                working.wait();
                may_stop.wait();
                Ok::<_, DbError>(())
            })
        })
    };
    door.let_in();
    working.wait();
    let reader = db.clone();
    let second = thread::spawn(move || nothing(&reader));
    door.knocks.recv_timeout(LONG).unwrap();
    may_stop.wait();
    first.join().unwrap().unwrap();
    second.join().unwrap();

    // Nobody wants the third connection any more.
    let (gone, is_gone) = channel();
    thread::spawn(move || {
        drop(db);
        gone.send(()).unwrap();
    });
    let early = is_gone.recv_timeout(Duration::from_millis(100));
    assert!(early.is_err(), "it did not wait");
    door.lets_in.send(()).unwrap();
    is_gone.recv_timeout(LONG).unwrap();
}
