//! When a mail goes out, what it says, and what the event says of it.

use super::*;
use crate::model::email::EmailRow;
use crate::test_support::both_databases;

/// A world whose ban mails `template` at the start.
fn mailing(db: &Db, template: EmailTemplate, include_in_event: bool) -> World {
    let mut world = World::new(db);
    world.ban = UserAction {
        start_email_template_id: Some(template.id),
        include_email_in_event_json: include_in_event,
        ..world.ban
    };
    let ban = world.ban.clone();
    write(db, move |c| {
        template.insert(c)?;
        ban.update(c)
    });
    world
}

fn wanted(world: &World) -> TakeRequest {
    let mut request = world.request();
    request.common.email_user = true;
    request
}

fn quiet() -> Call {
    Call {
        broadcast: false,
        ..call(NOW)
    }
}

fn mails(db: &Db) -> Vec<EmailRow> {
    use crate::schema::emails::dsl;
    write(db, |c| {
        dsl::emails
            .order(dsl::id)
            .select(EmailRow::as_select())
            .load(c)
    })
}

fn answer(change: &Change) -> Value {
    let event = change.answer_event().map(|raw| raw.get());
    event.map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

fn a_mail_is_stored_as_it_will_be_sent_with_one_delivery_per_recipient(db: &Db) {
    let text = "{{event.localizedAction}} {{user.fullName}} {{tenant.name}} {{action.comment}}";
    let world = mailing(db, template("Mail", text), false);
    let change = take(db, &call(NOW), &wanted(&world));
    let mail = mails(db).remove(0);
    assert_eq!(mail.subject, "Ban Reader Mine first");
    assert_eq!((&mail.html, &mail.text), (&mail.subject, &mail.subject));
    let to = Mailbox {
        address: "reader@example.com".to_owned(),
        display: Some("Reader".to_owned()),
    };
    assert_eq!(mail.to_addresses.0, [to]);
    assert_eq!(mail.from_address, "beadle@server.example");
    assert_eq!(mail.from_display.as_deref(), Some("Beadle"));
    assert_eq!(mail.message_id, format!("<{}@server.example>", mail.id));
    assert_eq!(mail.action_log_id, Some(change.log().id));
    use crate::schema::outbox::dsl;
    let owed: Vec<(i16, Option<crate::id::EmailId>, Option<String>)> = write(db, |c| {
        dsl::outbox
            .select((dsl::kind, dsl::email_id, dsl::recipient))
            .load(c)
    });
    assert_eq!(
        owed,
        [(1, Some(mail.id), Some("reader@example.com".to_owned()))]
    );
    let event = &events(db)[0];
    assert_eq!(event["emailedUser"], true);
    assert!(event.get("email").is_none());
    assert!(
        answer(&change).get("email").is_none(),
        "it is not in the event"
    );
}

fn no_mail_without_wish_offer_template_or_address(db: &Db) {
    let world = mailing(db, template("Mail", "x"), false);
    take(db, &call(NOW), &world.request());
    let silent = |request: &TakeRequest| {
        let change = take(db, &call(NOW), request);
        assert_eq!(answer(&change)["emailedUser"], false);
    };
    let no_offer = UserAction {
        user_emailing_enabled: false,
        ..world.ban.clone()
    };
    write(db, move |c| no_offer.update(c));
    silent(&wanted(&world));
    let no_template = UserAction {
        start_email_template_id: None,
        ..world.ban.clone()
    };
    write(db, move |c| no_template.update(c));
    silent(&wanted(&world));
    let ban = world.ban.clone();
    write(db, move |c| ban.update(c));
    let without_address = TakeRequest {
        actionee_user_id: Some(world.actioner.id),
        ..wanted(&world)
    };
    silent(&without_address);
    assert!(mails(db).is_empty() && destinations(db).is_empty());
    assert!(event_logs(db).is_empty());
}

fn the_event_holds_the_mail_if_the_definition_says_so(db: &Db) {
    let world = mailing(db, template("Mail", "Hello"), true);
    let change = take(db, &call(NOW), &wanted(&world));
    let expected = json!({
        "attachments": [], "bcc": [], "cc": [],
        "from": {"address": "beadle@server.example", "display": "Beadle"},
        "html": "Hello", "subject": "Hello", "text": "Hello",
        "to": [{"address": "reader@example.com", "display": "Reader"}],
    });
    let event = &events(db)[0];
    assert_eq!(event["email"], expected);
    assert_eq!(event["emailedUser"], true);
    assert_eq!(&answer(&change), event);
}

fn a_mail_may_be_in_the_event_only_for_others_to_send(db: &Db) {
    let world = mailing(db, template("Mail", "Hello"), true);
    take(db, &call(NOW), &world.request());
    let event = &events(db)[0];
    assert_eq!(event["email"]["subject"], "Hello");
    assert_eq!(event["emailedUser"], false);
    assert!(mails(db).is_empty() && destinations(db).is_empty());
    // Without an event it is nowhere.
    let change = take(db, &quiet(), &world.request());
    assert_eq!(answer(&change), Value::Null);
}

fn the_answer_shows_a_mail_that_goes_out_without_an_event(db: &Db) {
    let world = mailing(db, template("Mail", "Hello"), false);
    let change = take(db, &quiet(), &wanted(&world));
    assert!(change.leaves_work());
    assert_eq!(answer(&change)["email"]["subject"], "Hello");
    assert_eq!(answer(&change)["emailedUser"], true);
    assert_eq!((mails(db).len(), events(db).len()), (1, 0));
}

fn a_template_that_fails_costs_the_mail_and_not_the_action(db: &Db) {
    let world = mailing(db, template("Broken", "{{event.nonsense}}"), true);
    let change = take(db, &call(NOW), &wanted(&world));
    assert!(mails(db).is_empty() && destinations(db).is_empty());
    let event = &events(db)[0];
    assert_eq!(event["emailedUser"], false);
    assert!(event.get("email").is_none());
    let logged = event_logs(db);
    assert_eq!(logged.len(), 1);
    let id = change.log().id.to_string();
    for part in ["Broken", "Ban", "start", "nonsense", id.as_str()] {
        assert!(logged[0].contains(part), "{part}: {}", logged[0]);
    }
    // Not raised, not mailed: nothing to show.
    assert_eq!(answer(&take(db, &quiet(), &wanted(&world))), Value::Null);
}

fn members_that_are_absent_this_time_are_empty_and_no_mistake(db: &Db) {
    let text = "[{{event.option}}{{event.lastUpdateInstant}}{{action.history}}{{application.name}}\
                {{userAction.localizedNames}}{{actioner.email}}{{baseUrl}}{{event.email}}]";
    let world = mailing(db, template("Sparse", text), false);
    take(db, &call(NOW), &wanted(&world));
    assert_eq!(event_logs(db), Vec::<String>::new());
    assert_eq!(mails(db)[0].subject, "[]");
}

fn sender_and_language_are_chosen_part_by_part(db: &Db) {
    let mail = EmailTemplate {
        localized_subjects: Json(texts(&[("de", "Hallo"), ("fr_CA", "Allo")])),
        localized_from_names: Json(texts(&[("de", "Der Büttel")])),
        ..template("Mail", "Hello")
    };
    let world = mailing(db, mail, false);
    let german = User {
        preferred_languages: Json(vec![
            Locale::parse("fr").unwrap(),
            Locale::parse("de_AT").unwrap(),
        ]),
        ..world.actionee.clone()
    };
    let configured = Tenant {
        email_configuration: Json(
            [
                ("defaultFromEmail".to_owned(), json!("news@mine.example")),
                ("defaultFromName".to_owned(), json!("News")),
                (
                    "additionalHeaders".to_owned(),
                    json!([{"name": "X-Team", "value": "a"}]),
                ),
            ]
            .into_iter()
            .collect(),
        ),
        ..world.tenant.clone()
    };
    take(db, &call(NOW), &wanted(&world));
    write(db, move |c| {
        german.update(c)?;
        configured.update(c)
    });
    take(db, &call(NOW), &wanted(&world));
    let mails = mails(db);
    assert_eq!(mails[0].subject, "Hello");
    assert_eq!(mails[0].subject_locale, None);
    let mail = &mails[1];
    assert_eq!(
        (mail.subject.as_str(), mail.html.as_str()),
        ("Hallo", "Hello")
    );
    assert_eq!(mail.subject_locale, Some(Locale::parse("de").unwrap()));
    assert_eq!(mail.html_locale, None);
    assert_eq!(mail.from_address, "news@mine.example");
    assert_eq!(mail.from_display.as_deref(), Some("Der Büttel"));
    assert_eq!(mail.headers.0, [("X-Team".to_owned(), "a".to_owned())]);
    assert!(mail.message_id.ends_with("@mine.example>"));
}

fn the_sample_knows_every_name_that_a_mail_has(db: &Db) {
    const NAMES: [&str; 6] = [
        "action",
        "actioner",
        "event",
        "tenant",
        "user",
        "userAction",
    ];
    let members: Vec<String> = NAMES
        .iter()
        .map(|name| format!("\"{name}\": {{{{json {name}}}}}"))
        .collect();
    let text = format!("{{ {} }}", members.join(", "));
    let world = mailing(db, template("All", &text), false);
    take(db, &call(NOW), &wanted(&world));
    let mail = mails(db).remove(0);
    let real: Value = serde_json::from_str(&mail.text).unwrap();
    let sample = crate::mail::sample();
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for name in NAMES {
        for key in keys(&real[name]) {
            assert!(sample[name].get(&key).is_some(), "{name}.{key}");
        }
    }
    for key in keys(&real["event"]["info"]) {
        assert!(
            sample["event"]["info"].get(&key).is_some(),
            "event.info.{key}"
        );
    }
}

fn what_the_caller_did_not_tell_is_empty(db: &Db) {
    let text = "[{{event.info.deviceName}}{{event.info.location.city}}{{requestData.offer}}]";
    let world = mailing(db, template("Info", text), false);
    take(db, &call(NOW), &wanted(&world));
    assert_eq!(mails(db).remove(0).text, "[]");
}

both_databases!(
    a_mail_is_stored_as_it_will_be_sent_with_one_delivery_per_recipient,
    no_mail_without_wish_offer_template_or_address,
    the_event_holds_the_mail_if_the_definition_says_so,
    a_mail_may_be_in_the_event_only_for_others_to_send,
    the_answer_shows_a_mail_that_goes_out_without_an_event,
    a_template_that_fails_costs_the_mail_and_not_the_action,
    members_that_are_absent_this_time_are_empty_and_no_mistake,
    sender_and_language_are_chosen_part_by_part,
    the_sample_knows_every_name_that_a_mail_has,
    what_the_caller_did_not_tell_is_empty,
);
