//! What an action costs, in statements: on PostgreSQL each is a round trip. More of them
//! than here is a step back, which no clock has to notice. The limits leave some room.

use std::sync::Arc;

use super::together::take_knowing;
use super::*;
use crate::db::Backend;
use crate::test_support::both_databases;

/// How many statements something runs, after a first time that prepares them.
fn statements(db: &Db, mut work: impl FnMut()) -> u64 {
    work();
    let before = db.statements();
    work();
    db.statements().since(before).run
}

fn an_action_alone(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let run = statements(db, || drop(take(db, &call(NOW), &world.request())));
    let limit = match db.backend() {
        Backend::Postgres => 16,
        Backend::Sqlite => 19,
    };
    assert!(run <= limit, "{run} statements");
}

fn a_hundred_actions_together(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let requests: Vec<TakeRequest> = (0..100).map(|_| world.request()).collect();
    let remembered = Arc::default();
    let run = statements(db, || {
        let changes = take_knowing(db, &remembered, &requests);
        assert!(changes.iter().all(Option::is_some));
    });
    // Users, and all rows of all tables in one statement, the look at whether what is
    // remembered is right included; on SQLite one for each row, which is no round trip: three
    // for an action, and not four.
    let limit = match db.backend() {
        Backend::Postgres => 2,
        Backend::Sqlite => 312,
    };
    assert!(run <= limit, "{run} statements");
}

both_databases!(an_action_alone, a_hundred_actions_together);

/// A webhook for each of many other tenants.
fn crowd(db: &Db) {
    write(db, |c| {
        for n in 0..1000 {
            let (tenant, hook) = (tenant(&format!("Tenant {n}")), webhook(false));
            tenant.insert(c)?;
            hook.insert(c)?;
            Webhook::set_tenants(c, hook.id, &[tenant.id])?;
        }
        diesel::sql_query("ANALYZE").execute(c)
    });
}

#[derive(QueryableByName)]
struct Planned {
    #[diesel(sql_type = BigInt)]
    anew: i64,
    #[diesel(sql_type = BigInt)]
    once: i64,
}

#[test]
fn what_writes_a_batch_is_not_planned_anew_beside_many_tenants() {
    let test = test_support::TestDb::postgres();
    let db = &test.db;
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    crowd(db);
    let remembered = Arc::default();
    for _ in 0..10 {
        take_knowing(db, &remembered, &[world.request()]);
    }
    let planned: Planned = write(db, |c| {
        diesel::sql_query(
            "SELECT custom_plans AS anew, generic_plans AS once FROM pg_prepared_statements
             WHERE statement LIKE 'WITH fits%'",
        )
        .get_result(c)
    });
    // PostgreSQL compares the first five with the one for all.
    assert_eq!((planned.anew, planned.once), (5, 5));
}
