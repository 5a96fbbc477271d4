//! How PostgreSQL goes about what workers ask, whatever the outbox was like when it decided.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::claim::{LEASE_POSTGRES, SCAN_POSTGRES};
use super::settle::{FINISH_PLAIN_POSTGRES, FINISH_POSTGRES, HAND_BACK_POSTGRES, RETRY_POSTGRES};
use crate::db::{AnyConnection, Db, DbError};
use crate::test_support::TestDb;

const TAKE_TYPES: &str = "uuid[], smallint[], bigint[], smallint, bigint, bigint, uuid, text";

const SETTLE_TYPES: &str = "uuid[], uuid[], text[], integer[], bigint[], bigint[], integer[], \
     text[], integer[], text[], text[], text[], uuid[]";

const STATEMENTS: [(&str, &str); 6] = [
    (SCAN_POSTGRES, "smallint"),
    (LEASE_POSTGRES, TAKE_TYPES),
    (FINISH_POSTGRES, SETTLE_TYPES),
    (FINISH_PLAIN_POSTGRES, SETTLE_TYPES),
    (RETRY_POSTGRES, SETTLE_TYPES),
    (HAND_BACK_POSTGRES, SETTLE_TYPES),
];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

fn run<T>(db: &Db, work: impl FnOnce(&mut PgConnection) -> QueryResult<T>) -> T {
    let work = |connection: &mut AnyConnection| match connection {
        AnyConnection::Pg(connection) => Ok::<_, DbError>(work(connection)?),
        AnyConnection::Sqlite(_) => panic!("not PostgreSQL"),
    };
    db.read_blocking(work).unwrap()
}

fn plan(db: &Db, (sql, types): (&str, &str)) -> Vec<String> {
    let nothing = vec!["NULL"; types.split(',').count()].join(", ");
    run(db, |c| {
        c.batch_execute(&format!("PREPARE asked ({types}) AS {sql}"))?;
        let plan = diesel::sql_query(format!("EXPLAIN EXECUTE asked ({nothing})"));
        let plan: Vec<Line> = plan.load(c)?;
        c.batch_execute("DEALLOCATE asked")?;
        Ok(plan.into_iter().map(|line| line.line).collect())
    })
}

/// Every visit to the outbox is by conditions that an index has.
fn assert_steps(plan: &[String]) {
    let all = plan.join("\n");
    for whole in ["Seq Scan", "Sort", "Hash", "Merge"] {
        assert!(!all.contains(whole), "{whole} in\n{all}");
    }
    let mut visits = 0;
    for lines in plan.windows(2) {
        if lines[0].contains("Scan") && lines[0].contains(" on outbox") {
            visits += 1;
            assert!(lines[1].trim().starts_with("Index Cond"), "{all}");
        }
    }
    assert!(visits > 0, "{all}");
}

#[test]
fn a_plan_is_good_for_an_outbox_of_any_size() {
    let test = TestDb::postgres();
    let db = test.db.with_generic_plans();
    let outbox_is = [
        "SELECT",
        "VACUUM ANALYZE outbox",
        "INSERT INTO outbox (id, kind, destination, event_id, attempt, due_at, insert_instant)
         SELECT gen_random_uuid(), 0, '11111111-1111-1111-1111-111111111111',
             gen_random_uuid(), 0, n, n
         FROM generate_series(1, 20000) n",
        "VACUUM ANALYZE outbox",
        "DELETE FROM outbox",
        "VACUUM ANALYZE outbox",
    ];
    for change in outbox_is {
        run(&db, |c| c.batch_execute(change));
        for statement in STATEMENTS {
            assert_steps(&plan(&db, statement));
        }
    }
}

fn setting(db: &Db) -> String {
    run(db, |c| {
        diesel::select(diesel::dsl::sql::<Text>(
            "current_setting('plan_cache_mode')",
        ))
        .get_result(c)
    })
}

#[test]
fn a_connection_plans_as_whoever_has_it_wants() {
    let test = TestDb::postgres();
    let workers = test.db.with_generic_plans();
    let seen: Vec<String> = [&test.db, &workers, &workers, &test.db]
        .into_iter()
        .map(setting)
        .collect();
    let (usual, once) = ("auto", "force_generic_plan");
    assert_eq!(seen, [usual, once, once, usual]);
    // It is told only where it changes hands.
    let before = test.db.statements();
    setting(&test.db);
    assert_eq!(test.db.statements().since(before).run, 1);
}
