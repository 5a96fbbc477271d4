//! How fast deliveries that have piled up are worked off, and what that costs in memory.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{Bench, PATIENCE};
use crate::figures::{Report, per_thousand, rate};
use crate::load::{Load, drive};
use crate::receiver::Receiver;
use crate::system::{Stock, System};
use crate::usage::Peak;

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let receiver = Receiver::start()?;
    let mut system = System::start(bench.plan(0)).await?;
    let stock = Stock::make(&system, &[receiver.url("/ok/all/0")]).await?;
    let pending = bench.actions * 2;
    let load = Load {
        count: pending,
        clients: bench.clients,
        rate: None,
    };
    let taken = drive(&system.api, &stock, load).await?;
    system.begin_delivering().await?;
    let cpu = system.cpu();
    let peak = Peak::watch(system.own_processes());
    receiver.wait_for(pending, PATIENCE).await?;
    let arrivals = receiver.take();
    let drained = arrivals.took();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let cpu = system.cpu().saturating_sub(cpu);
    report.tell(
        &bench.name("backlog"),
        json!({
            "drained/s": rate(arrivals.delivered, drained),
            "pending": pending,
            "taken/s": rate(pending, taken.wall),
            "cpu s/1000": per_thousand(cpu, arrivals.delivered),
            "duplicates": arrivals.duplicates,
            "connections": arrivals.connections,
            "memory KiB": peak.stop(),
        }),
    )
}
