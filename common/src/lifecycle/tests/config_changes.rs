//! A batch is written only if the configuration is what it was when it was prepared.

use std::sync::Arc;

use super::batch::{
    comments, prepare_all, prepare_at, prepare_knowing, save_all, save_knowing, saying,
};
use super::*;
use crate::schema::webhooks;
use crate::test_support::{TestDb, both_databases};

/// What is prepared is not written any more: each goes alone, and finds out by itself.
fn all_go_alone(db: &Db, prepared: Batch) {
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

fn what_is_remembered_is_what_the_database_has_now(db: &Db) {
    let world = World::new(db);
    let cache = Arc::<ConfigCache>::default();
    let reason = Reason {
        id: ReasonId::random(),
        text: "Spam".to_owned(),
        text_normalized: normalize("Spam"),
        code: "S".to_owned(),
        code_normalized: normalize("S"),
        localized_texts: None,
        insert_instant: NOW,
        last_update_instant: NOW,
    };
    let request = TakeRequest {
        reason_id: Some(reason.id),
        ..world.request()
    };
    let look = || {
        let prepare = || prepare_knowing(db, &cache, std::slice::from_ref(&request));
        let saved = match save_knowing(db, &cache, prepare()) {
            Err(Conflict::Changed) => save_knowing(db, &cache, prepare()),
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
    let cache = Arc::<ConfigCache>::default();
    let seconds_later = |seconds| {
        let now = NOW.plus(Duration::from_secs(seconds));
        let prepared = prepare_at(now, db, &cache, &[world.request()]);
        if prepared.is_empty() {
            return None;
        }
        save_knowing(db, &cache, prepared).unwrap().remove(0)
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
    assert!(seconds_later(5).is_none());
    assert!(seconds_later(11).is_some());
}

both_databases!(
    a_definition_that_was_deactivated_since_makes_all_go_alone,
    a_user_who_was_deleted_since_makes_all_go_alone,
    a_webhook_that_is_not_as_it_was_makes_all_go_alone,
    what_is_remembered_is_what_the_database_has_now,
    what_keeps_from_being_taken_is_asked_for_again_after_a_while,
);

/// As it is on PostgreSQL: on SQLite one writes after the other.
#[test]
fn a_change_counts_from_its_commit_and_keeps_nobody_waiting_until_then() {
    let test = TestDb::postgres();
    let db = &test.db;
    let world = World::new(db);
    let before = prepare_all(db, &[saying(&world, "before")]);
    let after = prepare_all(db, &[saying(&world, "after")]);
    let off = UserAction {
        active: false,
        ..world.ban.clone()
    };
    let other = db.clone();
    let changed = db.write_blocking(move |c| {
        off.update(c)?;
        let saved = save_all(&other, before);
        assert!(saved.is_ok(), "{saved:?}");
        write(&other, |c| tenant("Another").insert(c));
        Ok::<_, DbError>(())
    });
    changed.unwrap();
    all_go_alone(db, after);
    assert_eq!(comments(db), ["before"]);
}
