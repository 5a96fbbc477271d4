//! Phases that come at the same time, by clocks that differ: what is over stays over.

use std::thread;

use super::*;
use crate::id::ActionLogId;
use crate::test_support::{Holder, TestDb, both_databases};

/// How often they meet.
const ROUNDS: usize = 10;

type Prepare = fn(&mut AnyConnection, &World, &Call, ActionLogId) -> Result<Change, Refusal>;

fn to_modify(
    connection: &mut AnyConnection,
    world: &World,
    call: &Call,
    id: ActionLogId,
) -> Result<Change, Refusal> {
    let request = world.modify("longer", NOW.plus(2 * DAY));
    prepare_modify(connection, &setup(), call, id, &request)
}

fn to_cancel(
    connection: &mut AnyConnection,
    world: &World,
    call: &Call,
    id: ActionLogId,
) -> Result<Change, Refusal> {
    prepare_cancel(connection, &setup(), call, id, &world.cancel("enough"))
}

/// As a handler does: what has changed between the two steps is prepared anew.
fn carry_out(db: &Db, world: &World, id: ActionLogId, prepare: Prepare) -> bool {
    // A clock that is behind: by it the action goes on.
    let call = call(NOW);
    for _ in 0..3 {
        match db.read_blocking(|c| prepare(c, world, &call, id)) {
            Err(Refusal::Invalid(_)) => return false,
            Err(refusal) => panic!("{refusal:?}"),
            Ok(change) => match save(db, change) {
                Ok(_) => return true,
                Err(Conflict::Changed) => {}
                Err(error) => panic!("{error}"),
            },
        }
    }
    false
}

fn phases(db: &Db, id: ActionLogId) -> Vec<String> {
    let of_log = events(db)
        .into_iter()
        .filter(|event| event["actionId"] == json!(id));
    of_log
        .map(|event| event["phase"].as_str().unwrap().to_owned())
        .collect()
}

fn nothing_follows_an_end(db: &Db) {
    let world = World::new(db);
    for _ in 0..ROUNDS {
        let id = take(db, &call(NOW), &world.request()).log().id;
        let done: Vec<bool> = thread::scope(|scope| {
            let phases: [Prepare; 3] = [to_modify, to_cancel, to_modify];
            let world = &world;
            let carry_out = |phase| scope.spawn(move || carry_out(db, world, id, phase));
            let threads = phases.map(carry_out);
            end(db, NOW.plus(DAY));
            threads.map(|thread| thread.join().unwrap()).to_vec()
        });
        let phases = phases(db, id);
        let (last, before) = phases.split_last().unwrap();
        let goes_on = |phase: &String| phase == "start" || phase == "modify";
        assert!(before.iter().all(goes_on), "{phases:?}");
        let told = done.iter().filter(|done| **done).count() + 1;
        assert_eq!(
            phases.len(),
            told + usize::from(last == "end"),
            "{phases:?}"
        );
    }
}

fn what_has_ended_is_over_by_every_clock(db: &Db) {
    let world = World::new(db);
    let id = take(db, &call(NOW), &world.request()).log().id;
    assert_eq!(end(db, NOW.plus(DAY)).ended, 1);
    assert!(!carry_out(db, &world, id, to_modify));
    assert!(!carry_out(db, &world, id, to_cancel));
    assert_eq!(phases(db, id), ["start", "end"]);
}

/// As whoever erases a user does, on PostgreSQL. SQLite has one writer.
#[test]
fn whoever_holds_the_actionee_has_all_phases_wait() {
    let test = TestDb::postgres();
    let db = &test.db;
    let world = World::new(db);
    let id = take(db, &call(NOW), &world.request()).log().id;
    let prepared = |prepare: Prepare| {
        let change = db.read_blocking(|c| prepare(c, &world, &call(NOW), id));
        change.unwrap()
    };
    for change in [
        prepare(db, &call(NOW), &world.request()).unwrap(),
        prepared(to_modify),
        prepared(to_cancel),
    ] {
        let told = events(db).len();
        let holder = Holder::new(db, "SELECT 1 FROM users FOR UPDATE");
        thread::scope(|scope| {
            let saving = scope.spawn(|| save(db, change));
            thread::sleep(Duration::from_millis(200));
            assert!(!saving.is_finished());
            holder.release();
            // The last of them finds that the log has been modified.
            let saved = saving.join().unwrap().is_ok();
            assert_eq!(events(db).len(), told + usize::from(saved));
        });
    }
    let holder = Holder::new(db, "SELECT 1 FROM users FOR UPDATE");
    thread::scope(|scope| {
        let ending = scope.spawn(|| end(db, NOW.plus(3 * DAY)).ended);
        thread::sleep(Duration::from_millis(200));
        assert!(!ending.is_finished());
        holder.release();
        assert_eq!(ending.join().unwrap(), 2);
    });
}

both_databases!(
    nothing_follows_an_end,
    what_has_ended_is_over_by_every_clock,
);
