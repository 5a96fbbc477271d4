//! From the POST of an action to its arrival, as fast as it goes.

use anyhow::Result;
use serde_json::json;

use super::{Bench, PATIENCE};
use crate::figures::{Report, per_thousand, percentile, rate};
use crate::load::{Load, drive};
use crate::receiver::Receiver;
use crate::system::{Stock, System};
use crate::usage;

/// Actions before the clock starts: pools fill, statements are prepared.
const WARM_UP: usize = 500;

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report, webhooks: usize) -> Result<()> {
    let receiver = Receiver::start()?;
    let system = System::start(bench.plan(1)).await?;
    let urls: Vec<String> = (0..webhooks)
        .map(|number| receiver.url(&format!("/ok/all/{number}")))
        .collect();
    let stock = Stock::make(&system, &urls).await?;
    let load = |count| Load {
        count,
        clients: bench.clients,
        rate: None,
    };
    drive(&system.api, &stock, load(WARM_UP)).await?;
    receiver.wait_for(WARM_UP * webhooks, PATIENCE).await?;
    receiver.reset();

    let actions = bench.actions / webhooks.isqrt().max(1);
    let (cpu, began) = (system.cpu(), std::time::Instant::now());
    let driven = drive(&system.api, &stock, load(actions)).await?;
    receiver.wait_for(actions * webhooks, PATIENCE).await?;
    let wall = began.elapsed();
    // The last settlements are part of the price.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let cpu = system.cpu().saturating_sub(cpu);
    let arrivals = receiver.take();
    let name = match webhooks {
        1 => "take".to_owned(),
        webhooks => format!("fan-out to {webhooks}"),
    };
    report.tell(
        &bench.name(&name),
        json!({
            "delivered/s": rate(arrivals.delivered, wall),
            "posts/s": rate(actions, driven.wall),
            "answer p50 ms": percentile(&driven.answers, 50),
            "answer p99 ms": percentile(&driven.answers, 99),
            "cpu s/1000": per_thousand(cpu, arrivals.delivered),
            "duplicates": arrivals.duplicates,
            "connections": arrivals.connections,
            "memory KiB": usage::memory(&system.own_processes()),
        }),
    )
}
