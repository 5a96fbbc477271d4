//! The automatic end: once, whatever else happens.

use super::*;
use crate::test_support::both_databases;

fn an_expired_log_ends_with_its_last_words(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let quiet = Call {
        broadcast: false,
        ..call(NOW)
    };
    let mut request = world.request();
    request.common.notify_user = true;
    let taken = take(db, &quiet, &request);
    let almost = UnixMillis::from_millis(NOW.plus(DAY).millis() - 1);
    assert_eq!(end(db, almost).ended, 0);

    let late = NOW.plus(2 * DAY);
    let run = end(db, late);
    assert_eq!((run.ended, run.more, run.wake), (1, false, true));
    let log = stored(db, &taken);
    assert_eq!((log.end_due, log.end_event_sent), (None, Some(true)));
    assert_eq!(log.expiry, Some(NOW.plus(DAY)), "as it was");
    assert_eq!(log.last_update_instant, late);
    assert!(
        history(db, &taken).is_empty(),
        "an end is no change by anybody"
    );
    assert_eq!(destinations(db).len(), 1);
    let event = &events(db)[0];
    assert_eq!(event["phase"], "end");
    assert_eq!(event["comment"], "first");
    assert_eq!(event["actionerUserId"], json!(world.actioner.id));
    assert_eq!(event["notifyUser"], true);
    assert_eq!(event["info"], json!({}));
    assert_eq!(event["lastUpdateInstant"], json!(late));
    assert_eq!(event["expiry"], json!(NOW.plus(DAY)));
    assert!(event.get("localizedDuration").is_none());
}

fn many_workers_end_each_log_once(db: &Db) {
    const LOGS: usize = 30;
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let quiet = Call {
        broadcast: false,
        ..call(NOW)
    };
    for _ in 0..LOGS {
        take(db, &quiet, &world.request());
    }
    let ended: usize = runtime().block_on(async {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { end_due(&db, &setup(), NOW.plus(DAY)).await })
            })
            .collect();
        let mut ended = 0;
        for worker in workers {
            ended += worker.await.unwrap().unwrap().ended;
        }
        ended
    });
    assert_eq!(ended, LOGS);
    assert_eq!((events(db).len(), destinations(db).len()), (LOGS, LOGS));
}

fn without_send_end_event_the_end_is_silent(db: &Db) {
    let world = World::new(db);
    let silent = UserAction {
        send_end_event: false,
        ..world.ban.clone()
    };
    write(db, move |c| silent.update(c));
    let taken = take(db, &call(NOW), &world.request());
    let run = end(db, NOW.plus(DAY));
    assert_eq!((run.ended, run.wake), (1, false));
    assert_eq!(stored(db, &taken).end_event_sent, Some(false));
    assert_eq!(events(db).len(), 1);
    assert_eq!(end(db, NOW.plus(DAY)).ended, 0, "once all the same");
}

fn the_mail_of_the_end_depends_on_the_log_and_not_on_the_event(db: &Db) {
    let world = World::new(db);
    let bye = template("Bye", "{{event.phase}} {{event.comment}}");
    let silent = UserAction {
        send_end_event: false,
        end_email_template_id: Some(bye.id),
        ..world.ban.clone()
    };
    write(db, move |c| {
        bye.insert(c)?;
        silent.update(c)
    });
    take(db, &call(NOW), &world.request());
    assert_eq!(end(db, NOW.plus(DAY)).ended, 1);
    assert_eq!(census(db, &["emails"])["emails"], 0);
    let mut request = world.request();
    request.common.email_user = true;
    take(db, &call(NOW), &request);
    let run = end(db, NOW.plus(DAY));
    assert_eq!((run.ended, run.wake), (1, true));
    let subject: String = write(db, |c| {
        use crate::schema::emails::dsl;
        dsl::emails.select(dsl::subject).first(c)
    });
    assert_eq!(subject, "end first");
    assert_eq!(destinations(db).len(), 1);
}

fn an_expiry_in_the_past_is_accepted_and_ends_at_once(db: &Db) {
    let world = World::new(db);
    let request = TakeRequest {
        expiry: Some(NOW.minus(DAY)),
        ..world.request()
    };
    let taken = take(db, &call(NOW), &request);
    assert!(!stored(db, &taken).is_active(NOW));
    assert_eq!(events(db)[0]["localizedDuration"], "0 seconds");
    assert_eq!(end(db, NOW).ended, 1);
}

fn never_does_not_end(db: &Db) {
    let world = World::new(db);
    let request = TakeRequest {
        expiry: Some(UnixMillis::NEVER),
        ..world.request()
    };
    let taken = take(db, &call(NOW), &request);
    assert!(stored(db, &taken).is_active(NOW.plus(1000 * DAY)));
    assert_eq!(end(db, UnixMillis::from_millis(i64::MAX)).ended, 0);
    assert_eq!(events(db)[0]["expiry"], json!(i64::MAX));
    assert!(events(db)[0].get("localizedDuration").is_none());
    let next = write(db, ActionLog::next_end);
    assert_eq!(next, None);
}

fn a_log_that_cannot_be_ended_stands_in_nobodys_way(db: &Db) {
    use crate::schema::users::dsl;
    let world = World::new(db);
    let broken = user(&world.tenant);
    let broken_id = broken.id;
    write(db, move |c| broken.insert(c));
    let upon_broken = TakeRequest {
        actionee_user_id: Some(broken_id),
        expiry: Some(NOW),
        ..world.request()
    };
    let stuck = take(db, &call(NOW), &upon_broken);
    take(db, &call(NOW), &world.request());
    let spoil = |text: &'static str| {
        write(db, move |c| {
            let languages = diesel::dsl::sql::<diesel::sql_types::Text>("");
            diesel::update(dsl::users.find(broken_id))
                .set(
                    dsl::preferred_languages.eq(languages.bind::<diesel::sql_types::Text, _>(text)),
                )
                .execute(c)
        });
    };
    spoil("no JSON");
    let now = NOW.plus(DAY);
    assert_eq!(end(db, now).ended, 1);
    let later = now.plus(Duration::from_secs(60));
    assert_eq!(stored(db, &stuck).end_due, Some(later), "put off");
    spoil("[]");
    assert_eq!(end(db, now).ended, 0);
    assert_eq!(end(db, later).ended, 1);
}

/// Lets the world's user be banned, mailed at each end.
fn mail_at_the_end(db: &Db, world: &World, template: EmailTemplate) {
    let mailing = UserAction {
        end_email_template_id: Some(template.id),
        ..world.ban.clone()
    };
    write(db, move |c| {
        template.insert(c)?;
        mailing.update(c)
    });
    let mut request = world.request();
    request.common.email_user = true;
    take(db, &call(NOW), &request);
}

fn what_can_be_stored_can_be_mailed_and_ended(db: &Db) {
    let world = World::new(db);
    let actionee = User {
        data: JsonText::of(&json!({"note": "a\u{0}b"})),
        ..world.actionee.clone()
    };
    write(db, move |c| actionee.update(c));
    let text = "{{user.data.note}}";
    let mut bye = template("Bye", text);
    bye.default_from_name = Some(text.to_owned());
    mail_at_the_end(db, &world, bye);
    assert_eq!(end(db, NOW.plus(DAY)).ended, 1);
    let parts: (String, String, String) = write(db, |c| {
        use crate::schema::emails::dsl;
        dsl::emails
            .select((dsl::subject, dsl::html, dsl::text))
            .first(c)
    });
    let replaced = "a\u{fffd}b".to_owned();
    assert_eq!(parts, (replaced.clone(), replaced.clone(), replaced));
    assert!(event_logs(db).is_empty());
}

fn a_mail_that_cannot_be_stored_costs_the_mail_and_not_the_end(db: &Db) {
    let world = World::new(db);
    mail_at_the_end(db, &world, template("Bye", "Bye"));
    write(db, |c| {
        diesel::sql_query("ALTER TABLE emails RENAME TO elsewhere").execute(c)
    });
    assert_eq!(end(db, NOW.plus(DAY)).ended, 1);
    let logged = event_logs(db);
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(logged[0].contains("could not be stored"), "{logged:?}");
    let event = events(db).pop().unwrap();
    assert_eq!(
        (&event["phase"], &event["emailedUser"]),
        (&json!("end"), &json!(false))
    );
}

fn a_log_that_cannot_be_read_stands_in_nobodys_way(db: &Db) {
    use crate::schema::action_logs::dsl;
    let world = World::new(db);
    let stuck = take(db, &call(NOW), &world.request());
    take(db, &call(NOW), &world.request());
    let id = stuck.log().id;
    write(db, move |c| {
        let text = diesel::dsl::sql::<diesel::sql_types::Text>("'no JSON'");
        diesel::update(dsl::action_logs.find(id))
            .set(dsl::application_ids.eq(text))
            .execute(c)
    });
    assert_eq!(end(db, NOW.plus(DAY)).ended, 1);
    let due: Option<UnixMillis> = write(db, move |c| {
        dsl::action_logs.find(id).select(dsl::end_due).first(c)
    });
    assert_eq!(due, Some(NOW.plus(DAY).plus(Duration::from_secs(60))));
}

both_databases!(
    what_can_be_stored_can_be_mailed_and_ended,
    a_mail_that_cannot_be_stored_costs_the_mail_and_not_the_end,
    a_log_that_cannot_be_read_stands_in_nobodys_way,
    an_expired_log_ends_with_its_last_words,
    many_workers_end_each_log_once,
    without_send_end_event_the_end_is_silent,
    the_mail_of_the_end_depends_on_the_log_and_not_on_the_event,
    an_expiry_in_the_past_is_accepted_and_ends_at_once,
    never_does_not_end,
    a_log_that_cannot_be_ended_stands_in_nobodys_way,
);
