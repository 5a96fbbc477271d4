//! A claim and a settle of ten deliveries on both databases. SQLite is in a file of its own
//! without flushes to the disk; PostgreSQL, a server of its own, has them in, unless its
//! programs are missing. `beadle-bench claim` measures beside a backlog.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "what cannot be set up cannot be measured, and says so"
)]

use std::time::Duration;

use beadle_bench::Postgres;
use beadle_bench::owed::{
    NOW, ROWS, add, claim_all, delivered, open, policy, request, settle_all, write,
};
use beadle_common::db::SqliteSynchronous;
use beadle_common::id::DestinationId;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

criterion_group!(name = database; config = hurried(); targets = sqlite, postgres);
criterion_main!(database);

/// A transaction takes a millisecond; a few thousand are enough.
fn hurried() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .sample_size(50)
}

fn sqlite(criterion: &mut Criterion) {
    let folder = tempfile::TempDir::with_prefix("beadle-bench-").expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("beadle.db").display());
    claim_and_settle(criterion, "sqlite", &url);
}

fn postgres(criterion: &mut Criterion) {
    match Postgres::start() {
        Ok(server) => claim_and_settle(criterion, "postgres", server.url()),
        Err(error) => println!("claim and settle/10 rows, postgres: left out: {error:#}"),
    }
}

fn claim_and_settle(criterion: &mut Criterion, database: &str, url: &str) {
    let db = open(url, 2, SqliteSynchronous::Normal).expect("a database");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (destination, policy) = (DestinationId::random(), policy());
    let name = format!("claim and settle/{ROWS} rows, {database}");
    criterion.bench_function(&name, |bencher| {
        bencher.iter_batched(
            || write(&db, move |connection| add(connection, destination, NOW)).expect("rows"),
            |()| {
                let claimed = claim_all(&db, request(Vec::new(), NOW)).expect("a claim");
                assert_eq!(claimed.len(), ROWS, "what was added is claimed");
                let settling = settle_all(&db, delivered(&claimed, NOW), &policy);
                runtime.block_on(settling).expect("a settle");
            },
            BatchSize::PerIteration,
        );
    });
}
