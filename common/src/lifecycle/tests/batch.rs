//! Actions taken together: each as if it were alone, whatever the others are.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::id::{DeliveryId, EventId};
use crate::model::event::EventRow;
use crate::schema::{action_logs, outbox};
use crate::test_support::both_databases;

pub(super) fn prepare_all(db: &Db, requests: &[TakeRequest]) -> Batch {
    prepare_knowing(db, &ConfigCache::default(), requests)
}

pub(super) fn prepare_knowing(db: &Db, cache: &ConfigCache, requests: &[TakeRequest]) -> Batch {
    prepare_at(NOW, db, cache, requests)
}

pub(super) fn prepare_at(
    now: UnixMillis,
    db: &Db,
    cache: &ConfigCache,
    requests: &[TakeRequest],
) -> Batch {
    let item = |request: &TakeRequest| BatchItem {
        call: call(NOW),
        request: request.clone(),
    };
    let items: Vec<BatchItem> = requests.iter().map(item).collect();
    let items: Vec<Option<&BatchItem>> = items.iter().map(Some).collect();
    let prepare = |c: &mut AnyConnection| {
        let snapshot = cache.snapshot(c, now)?;
        Ok::<_, DbError>(prepare_batch(c, &setup(), &snapshot, &items, now)?)
    };
    db.read_blocking(prepare).unwrap()
}

pub(super) fn save_all(db: &Db, batch: Batch) -> Result<Vec<Option<Change>>, Conflict> {
    save_knowing(db, &Arc::default(), batch)
}

pub(super) fn save_knowing(
    db: &Db,
    cache: &Arc<ConfigCache>,
    batch: Batch,
) -> Result<Vec<Option<Change>>, Conflict> {
    let cache = Arc::clone(cache);
    db.write_autocommit_blocking(move |c| commit_batch(c, &cache, batch, None))
}

fn take_all(db: &Db, requests: &[TakeRequest]) -> Vec<Option<Change>> {
    take_knowing(db, &Arc::default(), requests)
}

pub(super) fn take_knowing(
    db: &Db,
    cache: &Arc<ConfigCache>,
    requests: &[TakeRequest],
) -> Vec<Option<Change>> {
    save_knowing(db, cache, prepare_knowing(db, cache, requests)).unwrap()
}

/// The request of the world, which says this.
pub(super) fn saying(world: &World, comment: &str) -> TakeRequest {
    TakeRequest {
        common: world.common(comment),
        ..world.request()
    }
}

/// The comments of all logs, sorted.
pub(super) fn comments(db: &Db) -> Vec<String> {
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
    let destinations: BTreeSet<DestinationId> = hooks.iter().map(|hook| hook.id.into()).collect();
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
        let owed: Vec<(DeliveryId, DestinationId)> = write(db, move |c| {
            outbox::table
                .filter(outbox::event_id.eq(event))
                .select((outbox::id, outbox::destination))
                .load(c)
        });
        assert_eq!(owed.len(), 2);
        assert_eq!(
            owed.iter()
                .map(|(_, destination)| *destination)
                .collect::<BTreeSet<_>>(),
            destinations
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
        text_normalized: normalize("Infraction"),
        code: "FRAC".to_owned(),
        code_normalized: normalize("FRAC"),
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
    let owed: DestinationId = plain.id.into();
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
    assert_eq!(destinations(db), [owed, owed]);
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
        let destinations: Vec<DestinationId> = write(db, move |c| {
            let owed = outbox::table.filter(outbox::event_id.eq(event));
            owed.select(outbox::destination).load(c)
        });
        assert_eq!(destinations.len(), wanted.len());
        let destinations: BTreeSet<_> = destinations
            .into_iter()
            .map(crate::id::WebhookId::from)
            .collect();
        assert_eq!(destinations, wanted);
    }
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
    each_tenant_has_its_own_webhooks_and_a_global_one_sends_once,
    nobody_at_all_is_no_mistake,
);
