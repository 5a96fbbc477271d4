//! What an action costs, in statements: on PostgreSQL each is a round trip. More of them
//! than here is a step back, which no clock has to notice. The limits leave some room.

use std::sync::Arc;

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::sql_types::Text;

use super::batch::take_knowing;
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
    let cache = Arc::default();
    let run = statements(db, || {
        let changes = take_knowing(db, &cache, &requests);
        assert!(changes.iter().all(Option::is_some));
    });
    // Users, and all rows of all tables in one statement, the look at the epoch included; on
    // SQLite one for each row, which is no round trip: three for an action, and not four.
    let limit = match db.backend() {
        Backend::Postgres => 2,
        Backend::Sqlite => 306,
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

/// The text of the last statement that `work` runs.
fn statement_of(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<()>,
) -> QueryResult<String> {
    let (texts, seen) = std::sync::mpsc::channel();
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let _ = texts.send(query.to_string());
        }
    });
    work(connection)?;
    connection.set_instrumentation(|_: InstrumentationEvent<'_>| ());
    let text = seen.iter().last().unwrap();
    Ok(text.split(" -- binds").next().unwrap().to_owned())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

#[derive(QueryableByName)]
struct Detail {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// How the database goes about a statement that lists this tenant.
fn plan_of(
    connection: &mut AnyConnection,
    statement: &str,
    tenant: TenantId,
) -> QueryResult<String> {
    match connection {
        AnyConnection::Pg(c) => {
            c.batch_execute(&format!("PREPARE asked AS {statement}"))?;
            let explain = format!("EXPLAIN EXECUTE asked ('{{{tenant}}}')");
            let lines: Vec<Line> = diesel::sql_query(explain).load(c)?;
            c.batch_execute("DEALLOCATE asked")?;
            Ok(lines.into_iter().map(|line| line.line + "\n").collect())
        }
        AnyConnection::Sqlite(c) => {
            let plan = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
            let lines: Vec<Detail> = plan.load(c)?;
            Ok(lines.into_iter().map(|line| line.detail + "\n").collect())
        }
    }
}

fn webhooks_of_other_tenants_are_not_read(db: &Db) {
    let world = World::new(db);
    let tenant = world.tenant.id;
    crowd(db);
    let plan = write(db, move |c| {
        let asking = |c: &mut AnyConnection| Webhook::for_user_action(c, tenant).map(drop);
        let statement = statement_of(c, asking)?;
        plan_of(c, &statement, tenant)
    });
    let whole_tables = plan.lines().filter(|line| {
        let scans = line.contains("Seq Scan") || line.contains("SCAN");
        scans && !line.contains("webhooks_global")
    });
    assert_eq!(whole_tables.count(), 0, "{plan}");
    assert!(plan.contains("webhook_tenants_tenant"), "{plan}");
}

both_databases!(webhooks_of_other_tenants_are_not_read);

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
    let cache = Arc::default();
    for _ in 0..10 {
        take_knowing(db, &cache, &[world.request()]);
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
