//! The last page: what was expected, what came, and how long it took.

use std::time::Duration;

use crate::layout::millis;
use crate::ledger::{Report, Tally};
use crate::print::{Page, Style};

/// Prints the summary.
pub(crate) fn print(page: &Page, report: &Report, total: Duration) {
    page.heading("Summary");
    page.item(row(["what", "expected", "arrived", "signature verified"]));
    for (phase, tally) in &report.events.0 {
        let verified = tally.verified.to_string();
        tally_row(page, &format!("webhook, phase {phase}"), *tally, &verified);
    }
    for (language, tally) in &report.mails.0 {
        tally_row(page, &format!("mail in {language}"), *tally, "");
    }
    let refused = report.attempts_refused;
    page.gap();
    page.item(format_args!(
        "{:30} {refused}",
        "refused on purpose, repeated"
    ));
    page.item(timing("request to webhook received", &report.to_webhook));
    page.item(timing("request to mail received", &report.to_mail));
    page.item(timing("expiry to webhook of the end", &report.after_expiry));
    page.item(format_args!(
        "{:30} {:.1} s, the start of the server included",
        "the whole demo",
        total.as_secs_f64()
    ));
    page.gap();
    for problem in &report.problems {
        page.item(page.styled(Style::Bad, format_args!("PROBLEM: {problem}")));
    }
    if report.problems.is_empty() {
        let well = "Everything arrived, once, and every signature was verified.";
        page.item(page.styled(Style::Good, well));
    }
}

fn tally_row(page: &Page, what: &str, tally: Tally, verified: &str) {
    let (expected, arrived) = (tally.expected.to_string(), tally.arrived.to_string());
    let row = row([what, &expected, &arrived, verified]);
    match tally.expected == tally.arrived {
        true => page.item(row.trim_end()),
        false => page.item(page.styled(Style::Bad, row.trim_end())),
    }
}

fn row([what, expected, arrived, verified]: [&str; 4]) -> String {
    format!("{what:30} {expected:>8} {arrived:>9} {verified:>20}")
}

fn timing(what: &str, times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    match (median(&sorted), sorted.last()) {
        (Some(median), Some(longest)) => {
            let (median, longest) = (millis(median), millis(*longest));
            format!("{what:30} p50 {median}, max {longest}, of {}", sorted.len())
        }
        _ => format!("{what:30} nothing to measure"),
    }
}

/// The one in the middle; of two, the later.
fn median(sorted: &[Duration]) -> Option<Duration> {
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_median_and_maximum() {
        let times = [30, 10, 20].map(Duration::from_millis);
        assert_eq!(
            timing("x", &times),
            format!("{:30} p50 20.0 ms, max 30.0 ms, of 3", "x")
        );
        assert_eq!(timing("x", &[]), format!("{:30} nothing to measure", "x"));
    }
}
