//! What an action costs, in statements: on PostgreSQL each is a round trip. More of them
//! than here is a step back, which no clock has to notice. The limits leave some room.

use std::sync::Arc;

use super::together::take_knowing;
use super::*;
use crate::db::Backend;
use crate::test_support::both_databases;

/// How many statements something runs, after a first time that prepares them.
fn statements(db: &Db, mut work: impl FnMut()) -> u64 {
    work();
    let before = db.statements();
    work();
    db.statements().since(before).run
}

fn an_action_alone(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let run = statements(db, || drop(take(db, &call(NOW), &world.request())));
    let limit = match db.backend() {
        Backend::Postgres => 16,
        Backend::Sqlite => 19,
    };
    assert!(run <= limit, "{run} statements");
}

fn a_hundred_actions_together(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let requests: Vec<TakeRequest> = (0..100).map(|_| world.request()).collect();
    let remembered = Arc::default();
    let run = statements(db, || {
        let changes = take_knowing(db, &remembered, &requests);
        assert!(changes.iter().all(Option::is_some));
    });
    // Users, and all rows of all tables in one statement, the look at whether what is
    // remembered is right included; on SQLite one for each row, which is no round trip: three for an action, and
    // not four.
    let limit = match db.backend() {
        Backend::Postgres => 2,
        Backend::Sqlite => 312,
    };
    assert!(run <= limit, "{run} statements");
}

both_databases!(an_action_alone, a_hundred_actions_together);
