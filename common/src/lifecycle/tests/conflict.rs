//! Changes that get in each other's way: the later one leaves no trace.

use super::take::application;
use super::*;
use crate::test_support::both_databases;

/// Tries to commit what must not be, and looks whether anything is left of it.
fn must_conflict(db: &Db, change: Change) {
    let before = census(db, &TABLES);
    let result = save(db, change);
    assert!(matches!(result, Err(Conflict::Changed)), "{result:?}");
    assert_eq!(census(db, &TABLES), before);
}

/// A world where every phase has an event, a webhook and a mail.
fn loud(db: &Db) -> World {
    let mut world = World::new(db);
    let (hook, mail) = (webhook(true), template("Mail", "{{event.phase}}"));
    world.ban = UserAction {
        start_email_template_id: Some(mail.id),
        modify_email_template_id: Some(mail.id),
        cancel_email_template_id: Some(mail.id),
        end_email_template_id: Some(mail.id),
        ..world.ban
    };
    let ban = world.ban.clone();
    write(db, move |c| {
        hook.insert(c)?;
        mail.insert(c)?;
        ban.update(c)
    });
    world
}

fn loud_request(world: &World) -> TakeRequest {
    let mut request = world.request();
    request.common.email_user = true;
    request
}

fn of_two_changes_of_the_same_state_one_is_written(db: &Db) {
    let world = loud(db);
    let id = take(db, &call(NOW), &loud_request(&world)).log().id;
    let prepare_both = || {
        let modify = db
            .read_blocking(|c| {
                let mut request = world.modify("mine", NOW.plus(2 * DAY));
                request.common.email_user = true;
                prepare_modify(c, &setup(), &call(NOW), id, &request)
            })
            .unwrap();
        let cancel = db
            .read_blocking(|c| {
                let mut request = world.cancel("mine");
                request.common.email_user = true;
                prepare_cancel(c, &setup(), &call(NOW), id, &request)
            })
            .unwrap();
        (modify, cancel)
    };
    let (modify, cancel) = prepare_both();
    save(db, modify).unwrap();
    must_conflict(db, cancel);
    let (modify, cancel) = prepare_both();
    save(db, cancel).unwrap();
    must_conflict(db, modify);
}

fn of_many_changes_at_once_one_is_written(db: &Db) {
    let world = loud(db);
    let id = take(db, &call(NOW), &loud_request(&world)).log().id;
    let prepared: Vec<Change> = (0..8)
        .map(|n| {
            let request = world.modify(&n.to_string(), NOW.plus(2 * DAY));
            db.read_blocking(|c| prepare_modify(c, &setup(), &call(NOW), id, &request))
                .unwrap()
        })
        .collect();
    let written: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = prepared
            .into_iter()
            .map(|change| scope.spawn(|| usize::from(save(db, change).is_ok())))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(written, 1);
    assert_eq!(census(db, &["action_history"])["action_history"], 1);
    assert_eq!(events(db).len(), 2);
}

fn an_end_does_not_undo_a_modify_of_the_last_moment(db: &Db) {
    let world = loud(db);
    let taken = take(db, &call(NOW), &loud_request(&world));
    let request = world.modify("longer", NOW.plus(2 * DAY));
    let modified = db
        .read_blocking(|c| prepare_modify(c, &setup(), &call(NOW), taken.log().id, &request))
        .unwrap();
    assert_eq!(end(db, NOW.plus(DAY)).ended, 1);
    must_conflict(db, modified);
}

fn a_definition_that_was_deactivated_meanwhile_is_not_taken(db: &Db) {
    let world = loud(db);
    let change = prepare(db, &call(NOW), &loud_request(&world)).unwrap();
    let retired = UserAction {
        active: false,
        ..world.ban.clone()
    };
    write(db, move |c| retired.update(c));
    must_conflict(db, change);
}

fn a_definition_or_an_actionee_that_is_gone_meanwhile_is_a_conflict(db: &Db) {
    let world = loud(db);
    let take_both = || {
        let new = prepare(db, &call(NOW), &loud_request(&world)).unwrap();
        let id = take(db, &call(NOW), &loud_request(&world)).log().id;
        let request = world.modify("longer", NOW.plus(2 * DAY));
        let modified = db
            .read_blocking(|c| prepare_modify(c, &setup(), &call(NOW), id, &request))
            .unwrap();
        (new, modified)
    };
    let (new, modified) = take_both();
    let (actionee, definition) = (world.actionee.clone(), world.ban.id);
    let id = actionee.id;
    write(db, move |c| User::delete(c, id));
    must_conflict(db, new);
    must_conflict(db, modified);
    write(db, move |c| actionee.insert(c));
    let (new, modified) = take_both();
    write(db, move |c| UserAction::delete(c, definition));
    must_conflict(db, new);
    must_conflict(db, modified);
}

fn an_application_that_is_deleted_meanwhile_does_not_come_back(db: &Db) {
    let world = World::new(db);
    let (id, tenant) = (ApplicationId::random(), world.tenant.id);
    write(db, move |c| application(id, tenant).insert(c));
    let limited = TakeRequest {
        application_ids: vec![id],
        ..world.request()
    };
    let change = prepare(db, &call(NOW), &limited).unwrap();
    write(db, move |c| Application::delete(c, id));
    must_conflict(db, change);
    assert!(prepare(db, &call(NOW), &limited).is_err());
}

both_databases!(
    an_application_that_is_deleted_meanwhile_does_not_come_back,
    of_two_changes_of_the_same_state_one_is_written,
    of_many_changes_at_once_one_is_written,
    an_end_does_not_undo_a_modify_of_the_last_moment,
    a_definition_that_was_deactivated_meanwhile_is_not_taken,
    a_definition_or_an_actionee_that_is_gone_meanwhile_is_a_conflict,
);
