//! Changes of an active log, and its history.

use super::*;
use crate::test_support::both_databases;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn comments(items: &[HistoryItem]) -> Vec<Option<&str>> {
    items.iter().map(|item| item.comment.as_deref()).collect()
}

fn history_holds_the_states_that_were_replaced_oldest_first(db: &Db) {
    let world = World::new(db);
    let second = user(&world.tenant);
    let second_id = second.id;
    write(db, move |c| second.insert(c));
    let taken = take(db, &call(NOW), &world.request());
    let (t1, t2) = (NOW.plus(HOUR), NOW.plus(2 * HOUR));
    let longer = NOW.plus(3 * DAY);
    let mut request = world.modify("second", longer);
    request.common.actioner_user_id = Some(second_id);
    let modified = modify(db, t1, taken.log(), &request);
    assert_eq!(comments(modified.history()), [Some("first")]);
    let canceled = cancel(db, t2, taken.log(), &world.cancel("third"));

    let log = stored(db, &canceled);
    assert_eq!(log.comment.as_deref(), Some("third"));
    assert_eq!((log.insert_instant, log.last_update_instant), (NOW, t2));
    let items = history(db, &canceled);
    assert_eq!(comments(&items), [Some("first"), Some("second")]);
    assert_eq!(comments(canceled.history()), comments(&items));
    let facts: Vec<_> = items
        .iter()
        .map(|item| (item.actioner_user_id, item.create_instant, item.expiry))
        .collect();
    assert_eq!(
        facts,
        [
            (Some(world.actioner.id), NOW, Some(NOW.plus(DAY))),
            (Some(second_id), t1, Some(longer)),
        ]
    );
}

fn a_modify_sets_what_it_says_and_keeps_the_comment_if_none_is_given(db: &Db) {
    let world = World::new(db);
    let taken = take(db, &call(NOW), &world.request());
    let request = ModifyRequest {
        common: Common {
            comment: None,
            email_user: true,
            notify_user: true,
            ..world.common("")
        },
        expiry: Some(NOW.plus(2 * DAY)),
    };
    let log = stored(db, &modify(db, NOW, taken.log(), &request));
    assert_eq!(log.comment.as_deref(), Some("first"));
    assert!(log.email_user_on_end && log.notify_user_on_end);
    // The other way round as well: these are set, not added.
    let plain = world.modify("second", NOW.plus(2 * DAY));
    let log = stored(db, &modify(db, NOW, taken.log(), &plain));
    assert!(!log.email_user_on_end && !log.notify_user_on_end);
    assert_eq!(log.comment.as_deref(), Some("second"));
}

fn a_modify_rearms_the_end(db: &Db) {
    let world = World::new(db);
    let taken = take(db, &call(NOW), &world.request());
    modify(
        db,
        NOW,
        taken.log(),
        &world.modify("longer", NOW.plus(2 * DAY)),
    );
    assert_eq!(end(db, NOW.plus(DAY)).ended, 0);
    assert_eq!(stored(db, &taken).end_event_sent, Some(false));
    modify(
        db,
        NOW,
        taken.log(),
        &world.modify("for ever", UnixMillis::NEVER),
    );
    assert_eq!(end(db, NOW.plus(3 * DAY)).ended, 0);
    modify(db, NOW, taken.log(), &world.modify("now", NOW));
    assert_eq!(end(db, NOW).ended, 1);
    assert_eq!(end(db, NOW).ended, 0);
}

fn a_cancel_moves_the_expiry_to_now_and_no_end_follows(db: &Db) {
    let world = World::new(db);
    let mut request = world.request();
    request.common.email_user = true;
    let taken = take(db, &call(NOW), &request);
    let now = NOW.plus(HOUR);
    let log = stored(
        db,
        &cancel(
            db,
            now,
            taken.log(),
            &CancelRequest {
                common: Common {
                    comment: None,
                    ..world.common("")
                },
            },
        ),
    );
    assert_eq!((log.expiry, log.end_due), (Some(now), None));
    assert!(log.canceled && !log.is_active(now));
    assert_eq!(log.end_event_sent, Some(false));
    assert_eq!(log.comment.as_deref(), Some("first"), "kept");
    assert!(log.email_user_on_end, "that of the last take or modify");
    assert_eq!(end(db, NOW.plus(2 * DAY)).ended, 0);
    let phases: Vec<Value> = events(db).iter().map(|e| e["phase"].clone()).collect();
    assert_eq!(phases, ["start", "cancel"]);
}

fn inactive_definitions_and_lost_actioners_stop_no_change(db: &Db) {
    let world = World::new(db);
    let taken = take(db, &call(NOW), &world.request());
    let second = user(&world.tenant);
    let second_id = second.id;
    let retired = UserAction {
        active: false,
        ..world.ban.clone()
    };
    let first = world.actioner.id;
    write(db, move |c| {
        second.insert(c)?;
        retired.update(c)?;
        User::delete(c, first)
    });
    let mut request = world.modify("longer", NOW.plus(2 * DAY));
    request.common.actioner_user_id = Some(second_id);
    modify(db, NOW, taken.log(), &request);
    assert_eq!(end(db, NOW.plus(2 * DAY)).ended, 1);
}

both_databases!(
    history_holds_the_states_that_were_replaced_oldest_first,
    a_modify_sets_what_it_says_and_keeps_the_comment_if_none_is_given,
    a_modify_rearms_the_end,
    a_cancel_moves_the_expiry_to_now_and_no_end_follows,
    inactive_definitions_and_lost_actioners_stop_no_change,
);
