//! Actions taken together: each as if it were alone, whatever the others are.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::db::Backend;
use crate::id::{DeliveryId, EventId};
use crate::model::event::EventRow;
use crate::schema::{action_logs, outbox, webhooks};
use crate::test_support::both_databases;

pub(super) fn prepare_all(db: &Db, requests: &[TakeRequest]) -> Together {
    prepare_knowing(db, &Remembered::default(), requests)
}

fn prepare_knowing(db: &Db, remembered: &Remembered, requests: &[TakeRequest]) -> Together {
    prepare_at(NOW, db, remembered, requests)
}

fn prepare_at(
    now: Instant,
    db: &Db,
    remembered: &Remembered,
    requests: &[TakeRequest],
) -> Together {
    let taking = |request: &TakeRequest| Taking {
        call: call(NOW),
        request: request.clone(),
        key: None,
    };
    let takings: Vec<Taking> = requests.iter().map(taking).collect();
    let takings: Vec<Option<&Taking>> = takings.iter().map(Some).collect();
    db.read_blocking(|c| {
        Ok::<_, DbError>(prepare_together(c, &setup(), remembered, &takings, now)?)
    })
    .unwrap()
}

fn save_all(db: &Db, together: Together) -> Result<Vec<Option<Change>>, Conflict> {
    save_knowing(db, &Arc::default(), together)
}

fn save_knowing(
    db: &Db,
    remembered: &Arc<Remembered>,
    together: Together,
) -> Result<Vec<Option<Change>>, Conflict> {
    let remembered = Arc::clone(remembered);
    db.write_in_steps_blocking(move |c| commit_together(c, &remembered, together, None))
}

fn take_all(db: &Db, requests: &[TakeRequest]) -> Vec<Option<Change>> {
    take_knowing(db, &Arc::default(), requests)
}

pub(super) fn take_knowing(
    db: &Db,
    remembered: &Arc<Remembered>,
    requests: &[TakeRequest],
) -> Vec<Option<Change>> {
    save_knowing(db, remembered, prepare_knowing(db, remembered, requests)).unwrap()
}

/// The request of the world, which says this.
fn saying(world: &World, comment: &str) -> TakeRequest {
    TakeRequest {
        common: world.common(comment),
        ..world.request()
    }
}

/// The comments of all logs, sorted.
fn comments(db: &Db) -> Vec<String> {
    let comments: Vec<Option<String>> = write(db, |c| {
        action_logs::table
            .order(action_logs::comment)
            .select(action_logs::comment)
            .load(c)
    });
    comments.into_iter().flatten().collect()
}

fn event_of(change: &Change) -> EventId {
    change.event.as_ref().unwrap().id
}

fn each_gets_its_own_log_event_and_deliveries(db: &Db) {
    let world = World::new(db);
    let hooks = [webhook(true), webhook(true)];
    let lanes: BTreeSet<LaneId> = hooks.iter().map(|hook| hook.id.into()).collect();
    write(db, move |c| {
        hooks.iter().try_for_each(|hook| hook.insert(c))
    });
    let requests: Vec<TakeRequest> = (0..20).map(|n| saying(&world, &n.to_string())).collect();
    let changes = take_all(db, &requests);
    for (number, change) in changes.iter().enumerate() {
        let change = change.as_ref().unwrap();
        assert_eq!(stored(db, change).comment, Some(number.to_string()));
        let event = event_of(change);
        let body = write(db, move |c| EventRow::bodies(c, &[event]));
        let body: Value = serde_json::from_str(&body[0].1).unwrap();
        assert_eq!(body["event"]["comment"], json!(number.to_string()));
        assert_eq!(body["event"]["actionId"], json!(change.log().id));
        let owed: Vec<(DeliveryId, LaneId)> = write(db, move |c| {
            outbox::table
                .filter(outbox::event_id.eq(event))
                .select((outbox::id, outbox::lane))
                .load(c)
        });
        assert_eq!(owed.len(), 2);
        assert_eq!(
            owed.iter().map(|(_, lane)| *lane).collect::<BTreeSet<_>>(),
            lanes
        );
    }
    let rows = census(db, &["action_logs", "events", "outbox"]);
    assert_eq!(rows.into_values().collect::<Vec<_>>(), [20, 20, 40]);
}

fn a_change_is_the_one_it_would_be_alone(db: &Db) {
    let world = World::new(db);
    let reason = Reason {
        id: ReasonId::random(),
        text: "Infraction".to_owned(),
        text_key: fold("Infraction"),
        code: "FRAC".to_owned(),
        code_key: fold("FRAC"),
        localized_texts: None,
        insert_instant: NOW,
        last_update_instant: NOW,
    };
    let requests = [
        TakeRequest {
            reason_id: Some(reason.id),
            ..world.request()
        },
        TakeRequest {
            user_action_id: Some(world.reward.id),
            actionee_user_id: Some(world.actioner.id),
            ..world.request()
        },
    ];
    write(db, move |c| reason.insert(c));
    for (request, together) in requests.iter().zip(take_all(db, &requests)) {
        let alone = prepare(db, &call(NOW), request).unwrap();
        let shown = |change: &Change| {
            let mut shown = json!([change.answer_event()]);
            shown[0]["actionId"] = Value::Null;
            shown[0]["id"] = Value::Null;
            let log = ActionLog {
                id: some_id(),
                ..change.log().clone()
            };
            (shown, format!("{log:?}"))
        };
        assert_eq!(shown(&together.unwrap()), shown(&alone));
    }
}

fn some_id() -> crate::id::ActionLogId {
    "00000000-0000-4000-8000-000000000000".parse().unwrap()
}

/// What cannot be taken together with others, and why.
fn loners(db: &Db, world: &World) -> Vec<(&'static str, TakeRequest)> {
    let mail = template("Mail", "{{event.phase}}");
    let inactive = UserAction {
        active: false,
        ..definition("Inactive", false)
    };
    let mailing = UserAction {
        start_email_template_id: Some(mail.id),
        ..definition("Mailing", false)
    };
    let asking = UserAction {
        transaction_type: Some(TransactionType::AbsoluteMajority),
        ..definition("Asking", false)
    };
    let of = |definition: &UserAction| TakeRequest {
        user_action_id: Some(definition.id),
        ..saying(world, "loner")
    };
    let mut mailed = of(&mailing);
    mailed.common.email_user = true;
    let request = || saying(world, "loner");
    let loners = vec![
        ("an inactive definition", of(&inactive)),
        ("a mail", mailed),
        ("a question to webhooks", of(&asking)),
        (
            "an unknown definition",
            TakeRequest {
                user_action_id: Some(UserActionId::random()),
                ..request()
            },
        ),
        (
            "an unknown actionee",
            TakeRequest {
                actionee_user_id: Some(UserId::random()),
                ..request()
            },
        ),
        (
            "nobody",
            TakeRequest {
                actionee_user_id: None,
                ..request()
            },
        ),
        (
            "an unknown reason",
            TakeRequest {
                reason_id: Some(ReasonId::random()),
                ..request()
            },
        ),
        (
            "an application",
            TakeRequest {
                application_ids: vec![ApplicationId::random()],
                ..request()
            },
        ),
    ];
    write(db, move |c| {
        mail.insert(c)?;
        [&inactive, &mailing, &asking]
            .into_iter()
            .try_for_each(|definition| definition.insert(c))
    });
    loners
}

fn what_has_to_go_alone_writes_nothing_and_harms_nobody(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let loners = loners(db, &world);
    for (count, (why, loner)) in loners.into_iter().enumerate() {
        let requests = [saying(&world, "plain"), loner, saying(&world, "plain")];
        let changes = take_all(db, &requests);
        assert!(changes[1].is_none(), "{why}");
        assert!(changes[0].is_some() && changes[2].is_some(), "{why}");
        assert_eq!(comments(db), vec!["plain"; 2 * (count + 1)], "{why}");
        let written = i64::try_from(2 * (count + 1)).unwrap();
        let rows = census(
            db,
            &["action_logs", "events", "outbox", "emails", "event_logs"],
        );
        assert_eq!(
            rows.into_values().collect::<Vec<_>>(),
            [written, 0, 0, written, written],
            "{why}"
        );
    }
}

fn what_has_to_keep_an_order_goes_alone_and_other_tenants_do_not(db: &Db) {
    let world = World::new(db);
    let orderly = tenant("Orderly");
    let theirs = user(&orderly);
    let (ordered, plain) = (
        Webhook {
            ordered_by: Some("user".to_owned()),
            ..webhook(false)
        },
        webhook(true),
    );
    let requests = [
        saying(&world, "ours"),
        TakeRequest {
            actionee_user_id: Some(theirs.id),
            ..saying(&world, "theirs")
        },
        saying(&world, "ours"),
    ];
    let owed: LaneId = plain.id.into();
    write(db, move |c| {
        orderly.insert(c)?;
        theirs.insert(c)?;
        ordered.insert(c)?;
        plain.insert(c)?;
        Webhook::set_tenants(c, ordered.id, &[orderly.id])
    });
    let changes = take_all(db, &requests);
    assert!(changes[0].is_some() && changes[1].is_none() && changes[2].is_some());
    assert_eq!(comments(db), ["ours", "ours"]);
    assert_eq!(lanes(db), [owed, owed]);
}

/// What is prepared is not written any more: each goes alone, and finds out by itself.
fn all_go_alone(db: &Db, prepared: Together) {
    let before = census(db, &TABLES);
    let result = save_all(db, prepared);
    assert!(matches!(result, Err(Conflict::Changed)), "{result:?}");
    assert_eq!(census(db, &TABLES), before);
}

fn a_definition_that_was_deactivated_since_makes_all_go_alone(db: &Db) {
    let world = World::new(db);
    let reward = TakeRequest {
        user_action_id: Some(world.reward.id),
        ..saying(&world, "reward")
    };
    let prepared = prepare_all(db, &[saying(&world, "ban"), reward]);
    let off = UserAction {
        active: false,
        ..world.ban.clone()
    };
    write(db, move |c| off.update(c));
    all_go_alone(db, prepared);
}

fn a_user_who_was_deleted_since_makes_all_go_alone(db: &Db) {
    let world = World::new(db);
    let leaver = user(&world.tenant);
    let id = leaver.id;
    write(db, move |c| leaver.insert(c));
    let requests = [
        saying(&world, "stays"),
        TakeRequest {
            actionee_user_id: Some(id),
            ..saying(&world, "leaves")
        },
    ];
    let prepared = prepare_all(db, &requests);
    write(db, move |c| User::delete(c, id));
    all_go_alone(db, prepared);

    take(db, &call(NOW), &requests[0]);
    assert!(prepare(db, &call(NOW), &requests[1]).is_err());
    assert_eq!(comments(db), ["stays"]);
}

/// What may happen to the webhooks of a tenant: to one of its own, or to another.
type HookChange = fn(TenantId, &Webhook, &Webhook, &mut AnyConnection) -> QueryResult<()>;

const HOOK_CHANGES: [(&str, HookChange); 6] = [
    ("deleted", |_, own, _, c| {
        Webhook::delete(c, own.id).map(|_| ())
    }),
    ("disabled", |_, own, _, c| {
        let off = Webhook {
            user_action_enabled: false,
            ..own.clone()
        };
        off.update(c).map(|_| ())
    }),
    ("ordered", |_, own, _, c| {
        let orderly = Webhook {
            ordered_by: Some("user".to_owned()),
            ..own.clone()
        };
        orderly.update(c).map(|_| ())
    }),
    ("taken from the tenant", |_, own, _, c| {
        let limited = Webhook {
            global: false,
            ..own.clone()
        };
        limited.update(c).map(|_| ())
    }),
    ("given to the tenant", |tenant, _, other, c| {
        Webhook::set_tenants(c, other.id, &[tenant])
    }),
    ("made", |_, _, _, c| webhook(true).insert(c).map(|_| ())),
];

fn a_webhook_that_is_not_as_it_was_makes_all_go_alone(db: &Db) {
    let world = World::new(db);
    let tenant = world.tenant.id;
    for (what, change) in HOOK_CHANGES {
        let hooks = [webhook(true), webhook(true), webhook(false)];
        let [_, own, other] = hooks.clone();
        write(db, move |c| {
            diesel::delete(webhooks::table).execute(c)?;
            hooks.iter().try_for_each(|hook| hook.insert(c).map(|_| ()))
        });
        let prepared = prepare_all(db, &[saying(&world, "one"), saying(&world, "two")]);
        write(db, move |c| change(tenant, &own, &other, c));
        eprintln!("{what}");
        all_go_alone(db, prepared);
    }
}

fn each_tenant_has_its_own_webhooks_and_a_global_one_sends_once(db: &Db) {
    let world = World::new(db);
    let second = tenant("Second");
    let (ours, theirs) = (world.tenant.id, second.id);
    let actionee = user(&second);
    let of_both = [
        saying(&world, "ours"),
        TakeRequest {
            actionee_user_id: Some(actionee.id),
            ..saying(&world, "theirs")
        },
    ];
    let hooks = [
        webhook(true),
        webhook(false),
        webhook(false),
        webhook(false),
    ];
    let [all, first, other, both] = [0, 1, 2, 3].map(|n: usize| hooks[n].id);
    write(db, move |c| {
        second.insert(c)?;
        actionee.insert(c)?;
        hooks.iter().try_for_each(|hook| hook.insert(c))?;
        Webhook::set_tenants(c, all, &[ours, theirs])?;
        Webhook::set_tenants(c, first, &[ours])?;
        Webhook::set_tenants(c, other, &[theirs])?;
        Webhook::set_tenants(c, both, &[ours, theirs])
    });
    for (change, wanted) in take_all(db, &of_both).iter().zip([
        BTreeSet::from([all, first, both]),
        BTreeSet::from([all, other, both]),
    ]) {
        let event = event_of(change.as_ref().unwrap());
        let lanes: Vec<LaneId> = write(db, move |c| {
            let owed = outbox::table.filter(outbox::event_id.eq(event));
            owed.select(outbox::lane).load(c)
        });
        assert_eq!(lanes.len(), wanted.len());
        let lanes: BTreeSet<_> = lanes.into_iter().map(crate::id::WebhookId::from).collect();
        assert_eq!(lanes, wanted);
    }
}

fn what_is_remembered_is_what_the_database_has_now(db: &Db) {
    let world = World::new(db);
    let remembered = Arc::<Remembered>::default();
    let reason = Reason {
        id: ReasonId::random(),
        text: "Spam".to_owned(),
        text_key: fold("Spam"),
        code: "S".to_owned(),
        code_key: fold("S"),
        localized_texts: None,
        insert_instant: NOW,
        last_update_instant: NOW,
    };
    let request = TakeRequest {
        reason_id: Some(reason.id),
        ..world.request()
    };
    let look = || {
        let prepare = || prepare_knowing(db, &remembered, std::slice::from_ref(&request));
        let saved = match save_knowing(db, &remembered, prepare()) {
            Err(Conflict::Changed) => save_knowing(db, &remembered, prepare()),
            saved => saved,
        };
        let change = saved.unwrap().remove(0)?;
        let log = change.log();
        Some((log.name.clone(), log.reason.clone(), change.event.is_some()))
    };
    assert_eq!(look(), None, "there is no such reason yet");
    let mut renamed = (world.ban.clone(), reason.clone(), world.tenant.clone());
    write(db, move |c| reason.insert(c));
    let first = Some((world.ban.name.clone(), Some("Spam".to_owned()), true));
    assert_eq!((look(), look()), (first.clone(), first));

    // All at once, within the millisecond in which they were made.
    renamed.0.name = "Banished".to_owned();
    renamed.1.text = "Insult".to_owned();
    renamed.2.event_configuration = Json(Map::new());
    write(db, move |c| {
        renamed.0.update(c)?;
        renamed.1.update(c)?;
        renamed.2.update(c)
    });
    let second = Some(("Banished".to_owned(), Some("Insult".to_owned()), false));
    assert_eq!((look(), look()), (second.clone(), second));

    let (gone, definition) = (request.reason_id.unwrap(), world.reward.id);
    write(db, move |c| {
        UserAction::delete(c, definition)?;
        Reason::delete(c, gone)
    });
    assert_eq!(look(), None, "the reason is gone");
}

fn what_keeps_from_being_taken_is_asked_for_again_after_a_while(db: &Db) {
    let world = World::new(db);
    let remembered = Arc::<Remembered>::default();
    let seconds_later = |seconds| {
        let now = NOW.plus(Duration::from_secs(seconds));
        let prepared = prepare_at(now, db, &remembered, &[world.request()]);
        if prepared.is_empty() {
            return None;
        }
        save_knowing(db, &remembered, prepared).unwrap().remove(0)
    };
    let set_active = |active| {
        let definition = UserAction {
            active,
            ..world.ban.clone()
        };
        write(db, move |c| definition.update(c));
    };
    set_active(false);
    assert!(seconds_later(0).is_none());
    set_active(true);
    // Nothing was written that could have told.
    assert_eq!(
        seconds_later(5).is_none(),
        db.backend() == Backend::Postgres
    );
    assert!(seconds_later(11).is_some());
}

fn nobody_at_all_is_no_mistake(db: &Db) {
    let before = census(db, &TABLES);
    assert!(take_all(db, &[]).is_empty());
    assert_eq!(census(db, &TABLES), before);
}

both_databases!(
    each_gets_its_own_log_event_and_deliveries,
    a_change_is_the_one_it_would_be_alone,
    what_has_to_go_alone_writes_nothing_and_harms_nobody,
    what_has_to_keep_an_order_goes_alone_and_other_tenants_do_not,
    a_definition_that_was_deactivated_since_makes_all_go_alone,
    a_user_who_was_deleted_since_makes_all_go_alone,
    a_webhook_that_is_not_as_it_was_makes_all_go_alone,
    each_tenant_has_its_own_webhooks_and_a_global_one_sends_once,
    what_is_remembered_is_what_the_database_has_now,
    what_keeps_from_being_taken_is_asked_for_again_after_a_while,
    nobody_at_all_is_no_mistake,
);
