//! What twenty healthy webhooks notice of others that hang, and of a backlog.
//!
//! The figure is the ratio of the 99th percentiles: from the POST to the arrival at a
//! healthy webhook, in bad company and alone.

use anyhow::Result;
use serde_json::json;

use super::{Bench, PATIENCE};
use crate::figures::{Report, percentile};
use crate::load::{Load, drive};
use crate::receiver::Receiver;
use crate::round::round;
use crate::system::{Stock, System};

const HEALTHY: usize = 20;
/// Actions a second; each goes to all webhooks.
const RATE: f64 = 10.0;
const WARM_UP: usize = 50;
const ACTIONS: usize = 300;

/// What surrounds the healthy webhooks.
struct Company {
    name: String,
    hanging: usize,
    /// Deliveries that wait for the hanging ones when the measurement begins.
    backlog: usize,
}

fn companies(backlog: usize) -> [Company; 3] {
    let company = |name: String, hanging, backlog| Company {
        name,
        hanging,
        backlog,
    };
    [
        company("alone".to_owned(), 0, 0),
        company("5 hanging".to_owned(), 5, 0),
        company(format!("64 hanging, backlog {backlog}"), 64, backlog),
    ]
}

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let mut alone = None;
    for company in companies(bench.pending) {
        let latencies = measure(bench, &company).await?;
        let p99 = percentile(&latencies, 99);
        let alone = *alone.get_or_insert(p99);
        report.tell(
            &bench.name(&format!("fairness, {}", company.name)),
            json!({
                "healthy p50 ms": percentile(&latencies, 50),
                "healthy p99 ms": p99,
                "p99 to alone": round(p99 / alone),
            }),
        )?;
    }
    Ok(())
}

async fn measure(bench: &Bench<'_>, company: &Company) -> Result<Vec<u64>> {
    let receiver = Receiver::start()?;
    let mut system = System::start(bench.plan(0).set("BEADLE_REQUEST_DEADLINE", "15s")).await?;
    let hanging: Vec<String> = (0..company.hanging)
        .map(|number| receiver.url(&format!("/hang/{number}")))
        .collect();
    let stock = Stock::make(&system, &hanging).await?;
    if let Some(count) = company.backlog.checked_div(company.hanging) {
        let load = Load {
            count,
            clients: bench.clients,
            rate: None,
        };
        drive(&system.api, &stock, load).await?;
    }
    let healthy: Vec<String> = (0..HEALTHY)
        .map(|number| receiver.url(&format!("/ok/healthy/{number}")))
        .collect();
    stock.add_webhooks(&system, &healthy).await?;
    system.begin_delivering().await?;
    let load = |count| Load {
        count,
        clients: 8,
        rate: Some(RATE),
    };
    drive(&system.api, &stock, load(WARM_UP)).await?;
    receiver.wait_for(WARM_UP * HEALTHY, PATIENCE).await?;
    receiver.reset();
    drive(&system.api, &stock, load(ACTIONS)).await?;
    receiver.wait_for(ACTIONS * HEALTHY, PATIENCE).await?;
    let mut arrivals = receiver.take();
    Ok(arrivals.latencies.remove("healthy").unwrap_or_default())
}
