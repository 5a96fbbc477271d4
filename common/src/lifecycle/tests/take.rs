//! What a start stores.

use super::*;
use crate::schema::outbox::dsl as outbox;
use crate::test_support::both_databases;

fn a_take_writes_log_event_and_a_delivery_for_each_webhook(db: &Db) {
    let world = World::new(db);
    let hooks = [webhook(true), webhook(true)];
    let rows = hooks.clone();
    write(db, move |c| rows.iter().try_for_each(|row| row.insert(c)));
    let before = census(db, &TABLES);

    let change = take(db, &call(NOW), &world.request());

    let mut after = before;
    for (table, added) in [("action_logs", 1), ("events", 1), ("outbox", 2)] {
        *after.get_mut(table).unwrap() += added;
    }
    assert_eq!(census(db, &TABLES), after);
    assert!(change.leaves_work());
    let mut wanted: Vec<DestinationId> = hooks.iter().map(|hook| hook.id.into()).collect();
    wanted.sort_unstable();
    assert_eq!(destinations(db), wanted);
    let (due, attempt): (UnixMillis, i32) = write(db, |c| {
        outbox::outbox
            .select((outbox::due_at, outbox::attempt))
            .first(c)
    });
    assert_eq!((due, attempt), (NOW, 0));
    assert_eq!(events(db)[0]["actionId"], json!(change.log().id));
}

fn a_temporal_log_waits_for_its_end(db: &Db) {
    let world = World::new(db);
    let request = TakeRequest {
        common: Common {
            email_user: true,
            notify_user: true,
            ..world.common("first")
        },
        ..world.request()
    };
    let log = stored(db, &take(db, &call(NOW), &request));
    assert_eq!(log.expiry, Some(NOW.plus(DAY)));
    assert_eq!(log.end_due, log.expiry);
    assert_eq!(log.end_event_sent, Some(false));
    assert!(log.email_user_on_end && log.notify_user_on_end && log.prevent_login);
    assert!(!log.canceled && log.is_active(NOW));
    assert_eq!((log.insert_instant, log.last_update_instant), (NOW, NOW));
    assert_eq!(log.tenant_id, world.tenant.id);
    assert_eq!(log.actioner_user_id, Some(world.actioner.id));
}

fn a_non_temporal_log_ignores_the_expiry_and_has_no_end(db: &Db) {
    let world = World::new(db);
    let request = TakeRequest {
        user_action_id: Some(world.reward.id),
        common: Common {
            email_user: true,
            ..world.common("well done")
        },
        ..world.request()
    };
    let change = take(db, &call(NOW), &request);
    let log = stored(db, &change);
    assert_eq!(
        (log.expiry, log.end_due, log.end_event_sent),
        (None, None, None)
    );
    assert!(!log.email_user_on_end && !log.is_active(NOW));
    let event = &events(db)[0];
    assert_eq!(event["phase"], "start");
    for absent in ["expiry", "localizedDuration", "lastUpdateInstant"] {
        assert!(event.get(absent).is_none(), "{absent}");
    }
    assert_eq!(end(db, UnixMillis::from_millis(i64::MAX - 1)).ended, 0);
}

fn without_broadcast_the_log_alone_is_written(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let before = census(db, &TABLES);
    let quiet = Call {
        broadcast: false,
        ..call(NOW)
    };
    let change = take(db, &quiet, &world.request());
    let mut after = before;
    *after.get_mut("action_logs").unwrap() += 1;
    assert_eq!(census(db, &TABLES), after);
    assert!(!change.leaves_work());
    assert!(change.answer_event().is_none());
}

fn copies_are_in_the_actionees_languages_and_outlive_their_originals(db: &Db) {
    let world = World::new(db);
    let actionee = User {
        preferred_languages: Json(["fr_CA", "de_AT"].map(|l| Locale::parse(l).unwrap()).into()),
        ..user(&world.tenant)
    };
    let ban = UserAction {
        localized_names: Some(Json(texts(&[("de", "Sperre"), ("en", "Barring")]))),
        options: Json(vec![ActionOption {
            name: "Nicely".to_owned(),
            localized_names: Some(texts(&[("fr", "Gentiment"), ("de", "Nett")])),
        }]),
        ..definition("Bar", true)
    };
    let reason = Reason {
        id: ReasonId::random(),
        code: "RUDE".to_owned(),
        code_normalized: "rude".to_owned(),
        text: "Rude".to_owned(),
        text_normalized: "rude".to_owned(),
        localized_texts: Some(Json(texts(&[("es", "Grosero")]))),
        insert_instant: NOW,
        last_update_instant: NOW,
    };
    let request = TakeRequest {
        actionee_user_id: Some(actionee.id),
        user_action_id: Some(ban.id),
        option: Some("Nicely".to_owned()),
        reason_id: Some(reason.id),
        ..world.request()
    };
    let rows = (actionee, ban.clone(), reason.clone());
    write(db, move |c| {
        rows.0.insert(c)?;
        rows.1.insert(c)?;
        rows.2.insert(c)
    });
    let change = take(db, &call(NOW), &request);
    write(db, move |c| {
        Reason::delete(c, reason.id)?;
        let renamed = UserAction {
            name: "Renamed".to_owned(),
            name_normalized: "renamed".to_owned(),
            options: Json(Vec::new()),
            ..ban
        };
        renamed.update(c)
    });
    let log = stored(db, &change);
    assert_eq!(
        (log.name.as_str(), log.localized_name.as_str()),
        ("Bar", "Sperre")
    );
    assert_eq!(log.option.as_deref(), Some("Nicely"));
    assert_eq!(log.localized_option.as_deref(), Some("Gentiment"));
    assert_eq!(log.reason.as_deref(), Some("Rude"));
    assert_eq!(
        log.localized_reason.as_deref(),
        Some("Rude"),
        "no language matches"
    );
    assert_eq!(log.reason_code.as_deref(), Some("RUDE"));
    // Later phases say the same.
    let later = modify(db, NOW, &log, &world.modify("longer", UnixMillis::NEVER));
    assert_eq!(stored(db, &later).localized_name, "Sperre");
    assert_eq!(events(db)[1]["action"], "Bar");
}

fn applications_are_stored_sorted_and_once(db: &Db) {
    let world = World::new(db);
    let mut ids = [ApplicationId::random(), ApplicationId::random()];
    ids.sort_unstable();
    let tenant = world.tenant.id;
    write(db, move |c| {
        ids.iter()
            .try_for_each(|id| application(*id, tenant).insert(c))
    });
    let request = TakeRequest {
        application_ids: vec![ids[1], ids[0], ids[1]],
        ..world.request()
    };
    let log = stored(db, &take(db, &call(NOW), &request));
    assert_eq!(log.application_ids.0, ids);
}

fn the_same_definition_can_be_taken_twice_and_upon_oneself(db: &Db) {
    let world = World::new(db);
    let request = TakeRequest {
        actionee_user_id: Some(world.actioner.id),
        ..world.request()
    };
    take(db, &call(NOW), &request);
    take(db, &call(NOW), &request);
    assert_eq!(census(db, &["action_logs"])["action_logs"], 2);
}

pub(super) fn application(id: ApplicationId, tenant_id: TenantId) -> Application {
    Application {
        id,
        tenant_id,
        name: id.to_string(),
        name_normalized: id.to_string(),
        active: true,
        data: JsonText::empty_object(),
        settings: Json(Map::new()),
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

both_databases!(
    a_take_writes_log_event_and_a_delivery_for_each_webhook,
    a_temporal_log_waits_for_its_end,
    a_non_temporal_log_ignores_the_expiry_and_has_no_end,
    without_broadcast_the_log_alone_is_written,
    copies_are_in_the_actionees_languages_and_outlive_their_originals,
    applications_are_stored_sorted_and_once,
    the_same_definition_can_be_taken_twice_and_upon_oneself,
);
