//! Phases that come at the same time, by clocks that differ: what is over stays over.

use std::thread;

use super::*;
use crate::id::ActionLogId;
use crate::test_support::both_databases;

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

both_databases!(
    nothing_follows_an_end,
    what_has_ended_is_over_by_every_clock,
);
