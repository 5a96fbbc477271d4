//! A claim and a settle of ten deliveries, on SQLite in a file of its own. The flushes to the
//! disk are left out: `beadle-bench claim` has them in.

#![expect(
    clippy::expect_used,
    reason = "what cannot be set up cannot be measured"
)]

use std::time::Duration;

use beadle_common::db::{Db, DbError, DbOptions, IfMissing, SqliteSynchronous};
use beadle_common::id::{DeliveryId, EventId, LaneId};
use beadle_common::instant::Instant;
use beadle_common::mail::Setup;
use beadle_common::model::email::Mailbox;
use beadle_common::outbox::{
    AttemptRecord, AttemptResult, ClaimRequest, Claimed, DeliveryState, Judgement, Kind,
    LanePolicy, Lanes, NewDelivery, Payload, Settlement, Verdict, claim, insert, settle,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const NOW: Instant = Instant::from_millis(1_750_000_000_000);
const ROWS: usize = 10;

criterion_group!(database, claim_and_settle);
criterion_main!(database);

fn claim_and_settle(criterion: &mut Criterion) {
    let folder = tempfile::TempDir::with_prefix("beadle-bench-").expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("beadle.db").display());
    let db = Db::open(&DbOptions {
        url: url.parse().expect("a URL"),
        connections: 2,
        synchronous: SqliteSynchronous::Normal,
        if_missing: IfMissing::Create,
    });
    let db = db.expect("a database");
    let (lane, policy) = (LaneId::random(), policy());
    criterion.bench_function("claim and settle/10 rows, sqlite", |bencher| {
        bencher.iter_batched(
            || add(&db, lane),
            |()| {
                let claimed = claim_all(&db);
                assert_eq!(claimed.len(), ROWS, "what was added is claimed");
                settle_all(&db, &claimed, &policy);
            },
            BatchSize::PerIteration,
        );
    });
}

fn add(db: &Db, lane: LaneId) {
    let added = db.write_blocking(move |connection| {
        for _ in 0..ROWS {
            let delivery = NewDelivery {
                id: DeliveryId::sequential(),
                lane,
                payload: Payload::Webhook(EventId::sequential()),
                due_at: NOW,
                insert_instant: NOW,
            };
            insert(connection, &delivery)?;
        }
        Ok::<_, DbError>(())
    });
    added.expect("rows");
}

fn claim_all(db: &Db) -> Vec<Claimed> {
    let claimed = db.write_blocking(|connection| {
        let request = ClaimRequest {
            kind: Kind::Webhook,
            now: NOW,
            lease_end: NOW.plus(Duration::from_secs(60)),
            owner: "bench".to_owned(),
            limit: 100,
            per_lane: ROWS,
            lanes: Lanes::default(),
        };
        Ok::<_, DbError>(claim(connection, &request)?)
    });
    claimed.expect("a claim")
}

fn settle_all(db: &Db, claimed: &[Claimed], policy: &LanePolicy) {
    let batch: Vec<Settlement> = claimed.iter().map(delivered).collect();
    let policy = policy.clone();
    let settled =
        db.write_blocking(move |connection| Ok::<_, DbError>(settle(connection, &batch, &policy)?));
    settled.expect("a settle");
}

fn delivered(claimed: &Claimed) -> Settlement {
    Settlement {
        id: claimed.id,
        lane: claimed.lane,
        token: claimed.token,
        attempt: claimed.attempt,
        record: Some(AttemptRecord {
            instant: NOW,
            duration_millis: 1,
            result: AttemptResult::Success,
            status_code: Some(200),
            class: None,
            message: None,
            response_excerpt: None,
        }),
        verdict: Verdict::Finished(DeliveryState::Delivered),
        judgement: Judgement::Good,
        probe: None,
        now: NOW,
    }
}

fn policy() -> LanePolicy {
    LanePolicy {
        disable_after: None,
        mail: Setup {
            mail_from: Mailbox {
                address: "bench@localhost".to_owned(),
                display: None,
            },
            base_url: None,
        },
    }
}
