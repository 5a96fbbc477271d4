//! What Beadle costs while nothing happens.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Bench;
use crate::figures::Report;
use crate::receiver::Receiver;
use crate::round::round;
use crate::system::{Stock, System};
use crate::usage;

/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(20);

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let receiver = Receiver::start()?;
    let system = System::start(bench.plan(1)).await?;
    Stock::make(&system, &[receiver.url("/ok/all/0")]).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let own = system.own_processes();
    let cpu = usage::cpu(&own);
    tokio::time::sleep(WATCHED).await;
    let cpu = usage::cpu(&own).saturating_sub(cpu);
    report.tell(
        &bench.name("idle"),
        json!({
            "cpu ms/s": round(cpu.as_secs_f64() * 1000.0 / WATCHED.as_secs_f64()),
            "memory KiB": usage::memory(&own),
        }),
    )
}
