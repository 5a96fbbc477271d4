//! Which webhooks an event goes to.

use super::*;
use crate::test_support::both_databases;

fn an_event_goes_to_global_webhooks_and_those_of_its_tenant(db: &Db) {
    let world = World::new(db);
    let other = tenant("Other");
    let (global, ours, theirs) = (webhook(true), webhook(false), webhook(false));
    let orphan = webhook(false);
    let both = webhook(true);
    let deaf = Webhook {
        user_action_enabled: false,
        ..webhook(true)
    };
    let mut wanted: Vec<DestinationId> = [&global, &ours, &both].map(|hook| hook.id.into()).into();
    wanted.sort_unstable();
    let tenant = world.tenant.id;
    write(db, move |c| {
        other.insert(c)?;
        let all = [&global, &ours, &theirs, &orphan, &both, &deaf];
        all.into_iter().try_for_each(|hook| hook.insert(c))?;
        Webhook::set_tenants(c, ours.id, &[tenant, other.id])?;
        Webhook::set_tenants(c, theirs.id, &[other.id])?;
        Webhook::set_tenants(c, both.id, &[tenant])?;
        Webhook::set_tenants(c, deaf.id, &[tenant])
    });
    take(db, &call(NOW), &world.request());
    assert_eq!(destinations(db), wanted);
}

fn a_webhook_that_asks_for_order_gets_a_users_events_one_by_one(db: &Db) {
    let world = World::new(db);
    let hook = Webhook {
        ordered_by: Some("user".to_owned()),
        ..webhook(true)
    };
    let plain = webhook(true);
    let ordered: DestinationId = hook.id.into();
    write(db, move |c| {
        hook.insert(c)?;
        plain.insert(c)
    });
    take(db, &call(NOW), &world.request());
    take(db, &call(NOW), &world.request());
    let places: Vec<(DestinationId, Option<i64>, i16)> = write(db, |c| {
        use crate::schema::outbox;
        outbox::table
            .order(outbox::id)
            .select((outbox::destination, outbox::sequence, outbox::priority))
            .load(c)
    });
    let of_ordered: Vec<_> = places
        .iter()
        .filter(|(destination, ..)| *destination == ordered)
        .map(|(_, sequence, priority)| (*sequence, *priority))
        .collect();
    assert_eq!(of_ordered, [(Some(1), 0), (Some(2), 2)]);
    let of_plain = places
        .iter()
        .filter(|(destination, ..)| *destination != ordered);
    assert!(
        of_plain.clone().count() == 2 && of_plain.clone().all(|(_, s, t)| s.is_none() && *t == 0)
    );
}

fn a_tenant_with_the_event_off_raises_none(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    let quiet = Tenant {
        event_configuration: Json(Map::new()),
        ..world.tenant.clone()
    };
    write(db, move |c| {
        hook.insert(c)?;
        quiet.update(c)
    });
    let change = take(db, &call(NOW), &world.request());
    assert!(change.answer_event().is_none());
    assert_eq!((events(db).len(), destinations(db).len()), (0, 0));
    // Nor at the end, and the log says so.
    assert_eq!(end(db, NOW.plus(DAY)).ended, 1);
    assert_eq!(events(db).len(), 0);
    assert_eq!(stored(db, &change).end_event_sent, Some(false));
}

fn an_event_without_a_webhook_is_kept_all_the_same(db: &Db) {
    let world = World::new(db);
    let change = take(db, &call(NOW), &world.request());
    assert_eq!((events(db).len(), destinations(db).len()), (1, 0));
    assert!(change.answer_event().is_some());
}

fn webhooks_are_those_of_the_moment_of_the_commit(db: &Db) {
    let world = World::new(db);
    let (early, late) = (webhook(true), webhook(true));
    let (early_id, late_id) = (early.id, late.id);
    write(db, move |c| early.insert(c));
    let change = prepare(db, &call(NOW), &world.request()).unwrap();
    write(db, move |c| {
        Webhook::delete(c, early_id)?;
        late.insert(c)
    });
    save(db, change).unwrap();
    assert_eq!(destinations(db), [late_id.into()]);
}

fn the_definitions_transaction_type_overrides_the_tenants(db: &Db) {
    let world = World::new(db);
    let decided = |db: &Db| {
        let change = prepare(db, &call(NOW), &world.request()).unwrap();
        change.transaction_type()
    };
    assert_eq!(decided(db), TransactionType::None);
    let events = json!({"user.action": {"enabled": true, "transactionType": "Any"}});
    let strict = Tenant {
        event_configuration: Json([("events".to_owned(), events)].into_iter().collect()),
        ..world.tenant.clone()
    };
    write(db, move |c| strict.update(c));
    assert_eq!(decided(db), TransactionType::Any);
    let ban = UserAction {
        transaction_type: Some(TransactionType::None),
        ..world.ban.clone()
    };
    write(db, move |c| ban.update(c));
    assert_eq!(decided(db), TransactionType::None);
}

both_databases!(
    an_event_goes_to_global_webhooks_and_those_of_its_tenant,
    a_tenant_with_the_event_off_raises_none,
    an_event_without_a_webhook_is_kept_all_the_same,
    a_webhook_that_asks_for_order_gets_a_users_events_one_by_one,
    webhooks_are_those_of_the_moment_of_the_commit,
    the_definitions_transaction_type_overrides_the_tenants,
);
