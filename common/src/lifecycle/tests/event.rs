//! The event's JSON, to the byte.

use super::*;
use crate::test_support::both_databases;

/// The stored bodies, oldest first, with names in place of Ids.
fn bodies(db: &Db, world: &World, log: &Change) -> Vec<String> {
    use crate::schema::events::dsl;
    let rows: Vec<(crate::id::EventId, String)> = write(db, |c| {
        dsl::events
            .order(dsl::id)
            .select((dsl::id, dsl::body))
            .load(c)
    });
    let named = |(id, body): &(crate::id::EventId, String)| {
        body.replace(&id.to_string(), "EVENT")
            .replace(&log.log().id.to_string(), "LOG")
            .replace(&world.actionee.id.to_string(), "ACTIONEE")
            .replace(&world.actioner.id.to_string(), "ACTIONER")
            .replace(&world.tenant.id.to_string(), "TENANT")
    };
    rows.iter().map(named).collect()
}

fn a_sparse_event_leaves_out_what_is_absent(db: &Db) {
    let world = World::new(db);
    let request = TakeRequest {
        common: Common {
            comment: None,
            ..world.common("")
        },
        user_action_id: Some(world.reward.id),
        ..world.request()
    };
    let change = take(db, &call(NOW), &request);
    assert_eq!(
        bodies(db, &world, &change),
        [concat!(
            r#"{"event":{"action":"Reward","actionId":"LOG","actioneeUserId":"ACTIONEE","#,
            r#""actionerUserId":"ACTIONER","applicationIds":[],"createInstant":1700000000000,"#,
            r#""emailedUser":false,"id":"EVENT","info":{},"linkedObjectId":"ACTIONEE","#,
            r#""localizedAction":"Reward","notifyUser":false,"phase":"start","#,
            r#""tenantId":"TENANT","type":"user.action"}}"#,
        )]
    );
}

fn a_full_event_has_all_members_in_alphabetical_order(db: &Db) {
    let world = World::new(db);
    let mail = template("Mail", "Hello");
    let application = super::take::application(ApplicationId::random(), world.tenant.id);
    let reason = Reason {
        id: ReasonId::random(),
        code: "R".to_owned(),
        code_normalized: "r".to_owned(),
        text: "Rude".to_owned(),
        text_normalized: "rude".to_owned(),
        localized_texts: None,
        insert_instant: NOW,
        last_update_instant: NOW,
    };
    let ban = UserAction {
        start_email_template_id: Some(mail.id),
        modify_email_template_id: Some(mail.id),
        include_email_in_event_json: true,
        options: Json(vec![ActionOption {
            name: "Nicely".to_owned(),
            localized_names: None,
        }]),
        ..world.ban.clone()
    };
    let request = TakeRequest {
        application_ids: vec![application.id],
        option: Some("Nicely".to_owned()),
        reason_id: Some(reason.id),
        ..world.request()
    };
    write(db, move |c| {
        mail.insert(c)?;
        application.insert(c)?;
        reason.insert(c)?;
        ban.update(c)
    });
    let info = json!({"userAgent": "x", "ipAddress": "192.0.2.1"});
    let with_info = Call {
        info: info.as_object().cloned().unwrap(),
        ..call(NOW)
    };
    let change = take(db, &with_info, &request);
    modify(
        db,
        NOW,
        change.log(),
        &world.modify("longer", NOW.plus(2 * DAY)),
    );
    for (event, phase) in events(db).iter().zip(["start", "modify"]) {
        let members: Vec<&String> = event.as_object().unwrap().keys().collect();
        let mut expected = vec![
            "action",
            "actionId",
            "actioneeUserId",
            "actionerUserId",
            "applicationIds",
            "comment",
            "createInstant",
            "email",
            "emailedUser",
            "expiry",
            "id",
            "info",
            "lastUpdateInstant",
            "linkedObjectId",
            "localizedAction",
            "localizedDuration",
            "localizedOption",
            "localizedReason",
            "notifyUser",
            "option",
            "phase",
            "reason",
            "reasonCode",
            "tenantId",
            "type",
        ];
        if phase == "start" {
            expected.retain(|name| *name != "lastUpdateInstant");
        }
        assert_eq!(members, expected);
        assert_eq!(event["phase"], phase);
    }
    assert_eq!(events(db)[0]["info"], info);
    // In the bytes, too: the order above is that of the parsed map.
    let body = bodies(db, &world, &change).remove(0);
    assert!(body.starts_with(r#"{"event":{"action":"Ban","actionId":"LOG","actioneeUserId":"#));
    assert!(body.contains(
        r#""comment":"first","createInstant":1700000000000,"email":{"attachments":[],"bcc":[],"cc":[],"from":{"address""#
    ));
    assert!(body.ends_with(concat!(
        r#""emailedUser":false,"expiry":1700086400000,"id":"EVENT","#,
        r#""info":{"ipAddress":"192.0.2.1","userAgent":"x"},"linkedObjectId":"ACTIONEE","#,
        r#""localizedAction":"Ban","localizedDuration":"1 day","localizedOption":"Nicely","#,
        r#""localizedReason":"Rude","notifyUser":false,"option":"Nicely","phase":"start","#,
        r#""reason":"Rude","reasonCode":"R","tenantId":"TENANT","type":"user.action"}}"#,
    )));
}

fn the_duration_is_told_at_start_and_modify_of_what_has_an_end(db: &Db) {
    let world = World::new(db);
    let german = User {
        preferred_languages: Json(vec![Locale::parse("de").unwrap()]),
        ..world.actionee.clone()
    };
    write(db, move |c| german.update(c));
    let change = take(db, &call(NOW), &world.request());
    let half = Duration::from_millis(15_600);
    modify(
        db,
        NOW,
        change.log(),
        &world.modify("short", NOW.plus(half)),
    );
    modify(
        db,
        NOW,
        change.log(),
        &world.modify("for ever", UnixMillis::NEVER),
    );
    modify(
        db,
        NOW,
        change.log(),
        &world.modify("two", NOW.plus(2 * DAY)),
    );
    cancel(db, NOW, change.log(), &world.cancel("no"));
    let told: Vec<Option<Value>> = events(db)
        .iter()
        .map(|event| event.get("localizedDuration").cloned())
        .collect();
    let text = |text: &str| Some(json!(text));
    assert_eq!(
        told,
        [
            text("1 Tag"),
            text("15 Sekunden"),
            None,
            text("2 Tage"),
            None
        ]
    );
    let canceled = &events(db)[4];
    assert_eq!(canceled["expiry"], json!(NOW));
    assert_eq!(canceled["lastUpdateInstant"], json!(NOW));
}

fn ids_of_events_never_repeat(db: &Db) {
    let world = World::new(db);
    let change = take(db, &call(NOW), &world.request());
    cancel(db, NOW, change.log(), &world.cancel("no"));
    let events = events(db);
    assert_ne!(events[0]["id"], events[1]["id"]);
    assert_eq!(events[0]["actionId"], events[1]["actionId"]);
}

both_databases!(
    a_sparse_event_leaves_out_what_is_absent,
    a_full_event_has_all_members_in_alphabetical_order,
    the_duration_is_told_at_start_and_modify_of_what_has_an_end,
    ids_of_events_never_repeat,
);
