//! From the POST to the arrival under a light load.

use anyhow::Result;
use serde_json::json;

use super::{Bench, PATIENCE};
use crate::figures::{Report, percentile};
use crate::load::{Load, drive};
use crate::receiver::Receiver;
use crate::system::{Stock, System};

/// Actions a second.
const RATE: f64 = 50.0;
const WARM_UP: usize = 100;
const ACTIONS: usize = 1000;

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let receiver = Receiver::start()?;
    let system = System::start(bench.plan(1)).await?;
    let stock = Stock::make(&system, &[receiver.url("/ok/all/0")]).await?;
    let load = |count| Load {
        count,
        clients: 8,
        rate: Some(RATE),
    };
    drive(&system.api, &stock, load(WARM_UP)).await?;
    receiver.wait_for(WARM_UP, PATIENCE).await?;
    receiver.reset();
    let driven = drive(&system.api, &stock, load(ACTIONS)).await?;
    receiver.wait_for(ACTIONS, PATIENCE).await?;
    let arrivals = receiver.take();
    let latencies = arrivals
        .latencies
        .into_values()
        .flatten()
        .collect::<Vec<_>>();
    report.tell(
        &bench.name("latency"),
        json!({
            "arrival p50 ms": percentile(&latencies, 50),
            "arrival p99 ms": percentile(&latencies, 99),
            "answer p50 ms": percentile(&driven.answers, 50),
            "answer p99 ms": percentile(&driven.answers, 99),
        }),
    )
}
