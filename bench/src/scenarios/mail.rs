//! How fast mails that have piled up are handed to a mail server; and what rendering them
//! costs where the actions are taken.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{Bench, PATIENCE};
use crate::figures::{Report, per_thousand, rate};
use crate::load::{Load, drive};
use crate::mailbox::Mailbox;
use crate::system::{Stock, System};
use crate::usage::Peak;

pub(super) async fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let mailbox = Mailbox::start()?;
    let plan = bench.plan(0).set("BEADLE_MAIL", &mailbox.url());
    let mut system = System::start(plan).await?;
    let stock = Stock::with_mail(&system).await?;
    let load = Load {
        count: bench.actions,
        clients: bench.clients,
        rate: None,
    };
    let cpu = system.cpu();
    let taken = drive(&system.api, &stock, load).await?;
    let taking = system.cpu().saturating_sub(cpu);

    system.begin_delivering().await?;
    let cpu = system.cpu();
    let peak = Peak::watch(system.own_processes());
    mailbox.wait_for(bench.actions, PATIENCE).await?;
    // The last settlements are part of the price.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let sending = system.cpu().saturating_sub(cpu);
    let arrivals = mailbox.take();
    report.tell(
        &bench.name("mail"),
        json!({
            "mails/s": rate(arrivals.delivered, arrivals.took()),
            "cpu s/1000": per_thousand(sending, arrivals.delivered),
            "connections": arrivals.connections,
            "duplicates": arrivals.duplicates,
            "taken/s": rate(bench.actions, taken.wall),
            "take cpu s/1000": per_thousand(taking, bench.actions),
            "memory KiB": peak.stop(),
        }),
    )
}
