//! What an action costs, in statements: on PostgreSQL each is a round trip. More of them
//! than here is a step back, which no clock has to notice. The limits leave some room.

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
    let request = world.request();
    let run = statements(db, || {
        let taking = |_| Taking {
            call: call(NOW),
            request: request.clone(),
        };
        let takings: Vec<Taking> = (0..100).map(taking).collect();
        let prepared = db
            .read_blocking(|c| Ok::<_, DbError>(prepare_together(c, &setup(), &takings)?))
            .unwrap();
        let changes = db.write_blocking(move |c| commit_together(c, prepared));
        assert!(changes.unwrap().iter().all(Option::is_some));
    });
    // All rows of a table in one statement; on SQLite one for each row, which is no round
    // trip: three for an action, and not four.
    let limit = match db.backend() {
        Backend::Postgres => 15,
        Backend::Sqlite => 360,
    };
    assert!(run <= limit, "{run} statements");
}

both_databases!(an_action_alone, a_hundred_actions_together);
