//! Whether more workers deliver more, when it is the receiver that takes its time.

use anyhow::Result;
use serde_json::json;

use super::{Bench, PATIENCE};
use crate::figures::{Report, rate};
use crate::load::{Load, drive};
use crate::receiver::Receiver;
use crate::round::round;
use crate::system::{Stock, System};

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let mut rates = Vec::new();
    for workers in [1, 2, 4] {
        rates.push(drained_by(bench, workers).await?);
    }
    let [one, two, four] = rates.as_slice() else {
        anyhow::bail!("three rates were measured");
    };
    report.tell(
        &bench.name("workers"),
        json!({
            "one/s": one, "two/s": two, "four/s": four,
            "two to one": round(two / one), "four to one": round(four / one),
        }),
    )
}

async fn drained_by(bench: &Bench<'_>, workers: usize) -> Result<f64> {
    let receiver = Receiver::start()?;
    let mut system = System::start(bench.plan(0)).await?;
    let stock = Stock::make(&system, &[receiver.url("/delay/20/0")]).await?;
    let pending = bench.actions;
    let load = Load {
        count: pending,
        clients: bench.clients,
        rate: None,
    };
    drive(&system.api, &stock, load).await?;
    for _ in 0..workers {
        system.start_worker()?;
    }
    receiver.wait_for(pending, PATIENCE).await?;
    let arrivals = receiver.take();
    let drained = arrivals.took();
    Ok(rate(pending, drained))
}
