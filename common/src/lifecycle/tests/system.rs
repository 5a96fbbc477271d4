//! What the system does without an actioner.

use super::*;
use crate::lifecycle::system::prepare_by_system;
use crate::test_support::both_databases;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn by_system(db: &Db, now: UnixMillis, step: SystemStep) -> Option<Change> {
    let change = db
        .read_blocking(|c| prepare_by_system(c, &setup(), &call(now), &step))
        .unwrap();
    change.map(|change| save(db, change).unwrap())
}

fn lock_step(world: &World, expiry: UnixMillis, email_user: bool) -> SystemStep {
    SystemStep::Lock {
        user: world.actionee.id,
        definition: world.ban.id,
        expiry,
        email_user,
    }
}

fn of(change: &Change) -> Box<ActionLog> {
    Box::new(change.log().clone())
}

fn a_lock_has_no_actioner_from_start_to_end(db: &Db) {
    let world = World::new(db);
    let locked = by_system(db, NOW, lock_step(&world, NOW.plus(HOUR), true)).unwrap();
    let later = NOW.plus(HOUR / 2);
    let prolonged = by_system(
        db,
        later,
        SystemStep::Prolong {
            log: of(&locked),
            expiry: later.plus(HOUR),
        },
    )
    .unwrap();
    let log = stored(db, &prolonged);
    assert_eq!(log.expiry, Some(later.plus(HOUR)));
    assert_eq!(log.end_due, log.expiry);
    assert!(log.email_user_on_end, "as the lock said");
    assert!(
        history(db, &prolonged).is_empty(),
        "a guess leaves no trace"
    );
    assert_eq!(end(db, NOW.plus(HOUR)).ended, 0);
    assert_eq!(end(db, later.plus(HOUR)).ended, 1);
    let told: Vec<_> = events(db)
        .iter()
        .map(|event| (event["phase"].clone(), event.get("actionerUserId").cloned()))
        .collect();
    assert_eq!(
        told,
        [
            (json!("start"), None),
            (json!("modify"), None),
            (json!("end"), None)
        ]
    );
}

fn a_lift_cancels_and_no_end_follows(db: &Db) {
    let world = World::new(db);
    let locked = by_system(db, NOW, lock_step(&world, NOW.plus(HOUR), false)).unwrap();
    let lift = |log| SystemStep::Lift {
        log,
        email_user: false,
    };
    let lifted = by_system(db, NOW.plus(HOUR / 2), lift(of(&locked))).unwrap();
    let log = stored(db, &lifted);
    assert!(log.canceled && log.actioner_user_id.is_none());
    assert_eq!(history(db, &lifted).len(), 1);
    assert_eq!(end(db, NOW.plus(HOUR)).ended, 0);
    assert!(by_system(db, NOW.plus(HOUR), lift(of(&lifted))).is_none());
}

fn a_lock_is_prolonged_by_one_of_two_who_saw_the_same(db: &Db) {
    let world = World::new(db);
    let locked = by_system(db, NOW, lock_step(&world, NOW.plus(HOUR), false)).unwrap();
    let step = SystemStep::Prolong {
        log: of(&locked),
        expiry: NOW.plus(2 * HOUR),
    };
    let prepared = || {
        db.read_blocking(|c| prepare_by_system(c, &setup(), &call(NOW), &step))
            .unwrap()
            .unwrap()
    };
    let (first, second) = (prepared(), prepared());
    save(db, first).unwrap();
    assert!(matches!(save(db, second), Err(Conflict::Changed)));
}

fn a_definition_that_cannot_lock_locks_nobody(db: &Db) {
    let world = World::new(db);
    let elsewhere = UserAction {
        tenant_ids: Json(vec![TenantId::random()]),
        ..definition("Elsewhere", true)
    };
    let retired = UserAction {
        active: false,
        ..definition("Retired", true)
    };
    let unfit = [
        elsewhere.id,
        retired.id,
        world.reward.id,
        UserActionId::random(),
    ];
    write(db, move |c| {
        elsewhere.insert(c)?;
        retired.insert(c)
    });
    for definition in unfit {
        let step = SystemStep::Lock {
            user: world.actionee.id,
            definition,
            expiry: NOW.plus(HOUR),
            email_user: false,
        };
        assert!(by_system(db, NOW, step).is_none());
    }
    assert_eq!(census(db, &["action_logs", "events"])["action_logs"], 0);
}

both_databases!(
    a_lock_has_no_actioner_from_start_to_end,
    a_lift_cancels_and_no_end_follows,
    a_lock_is_prolonged_by_one_of_two_who_saw_the_same,
    a_definition_that_cannot_lock_locks_nobody,
);
