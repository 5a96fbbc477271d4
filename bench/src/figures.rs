//! Figures as they are told: a line for people and a line of JSON for programs, for each.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::machine::Condition;
use crate::round::round;

/// Where figures go.
#[derive(Debug)]
pub struct Report {
    lines: Option<File>,
    /// The run that is under way, and its round.
    run: (String, usize),
    /// Its figures.
    current: Vec<Told>,
    /// Those of the runs that count.
    accepted: Vec<Told>,
    /// Runs that do not count, and why.
    wasted: Vec<String>,
}

/// What a scenario found, by its name.
type Told = (String, Map<String, Value>);

impl Report {
    /// A report that also writes lines of JSON to a file, if one is named.
    pub fn new(file: Option<&Path>) -> Result<Self> {
        let create = |path: &Path| {
            File::options()
                .create(true)
                .append(true)
                .open(path)
                .with_context(|| format!("cannot write {}", path.display()))
        };
        Ok(Self {
            lines: file.map(create).transpose()?,
            run: (String::new(), 1),
            current: Vec::new(),
            accepted: Vec::new(),
            wasted: Vec::new(),
        })
    }

    /// What is told from now on belongs to this run.
    pub fn begin(&mut self, run: String, round: usize) {
        self.run = (run, round);
        self.current.clear();
    }

    /// Tells what a scenario found.
    pub fn tell(&mut self, scenario: &str, figures: Value) -> Result<()> {
        let Value::Object(figures) = figures else {
            anyhow::bail!("{scenario}: figures are an object");
        };
        say(&format!("  {scenario}: {}", readable(&figures)));
        self.current.push((scenario.to_owned(), figures));
        Ok(())
    }

    /// Ends a run: writes its lines, and keeps its figures if the machine was fit for it.
    pub fn close(&mut self, before: Condition, after: Condition) -> Result<()> {
        let told = std::mem::take(&mut self.current);
        let (objection, round) = (before.objection(after), self.run.1);
        for (scenario, figures) in &told {
            let line = json!({
                "scenario": scenario, "round": round, "figures": figures, "rejected": objection,
                "machine": {"before": before.figures(), "after": after.figures()},
            });
            if let Some(lines) = &mut self.lines {
                writeln!(lines, "{line}")?;
            }
        }
        match objection {
            Some(reason) => self.waste(&format!("rejected, {reason}")),
            None => self.accepted.extend(told),
        }
        Ok(())
    }

    /// Ends a run that came to no end: its figures do not count.
    pub fn fail(&mut self, error: &anyhow::Error) {
        self.current.clear();
        self.waste(&format!("failed, {error:#}"));
    }

    fn waste(&mut self, why: &str) {
        say(&format!("  {why}"));
        let (run, round) = &self.run;
        self.wasted.push(format!("{run}, round {round}: {why}"));
    }

    /// Names the runs that do not count; whether there are none.
    pub fn say_what_does_not_count(&self) -> bool {
        if !self.wasted.is_empty() {
            say("\nnot in the table; repeat these when the machine is quiet:");
        }
        for run in &self.wasted {
            say(&format!("  {run}"));
        }
        self.wasted.is_empty()
    }

    /// A table of all figures that count: the median of the runs, the lowest, the highest.
    pub fn table(&self) {
        if self.accepted.is_empty() {
            return;
        }
        let rows = self.rows();
        let lengths = rows.iter().map(|[scenario, ..]| scenario.len());
        let width = lengths.max().unwrap_or_default();
        say("");
        for [scenario, figure, median, lowest, highest, runs] in rows {
            say(&format!(
                "{scenario:<width$}  {figure:<25} {median:>10} {lowest:>10} {highest:>10} {runs:>4}"
            ));
        }
    }

    fn rows(&self) -> Vec<[String; 6]> {
        let head = ["scenario", "figure", "median", "lowest", "highest", "runs"];
        let mut rows = vec![head.map(str::to_owned)];
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.accepted {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        for name in names {
            let runs: Vec<_> = self.accepted.iter().filter(|(of, _)| of == name).collect();
            let members = runs.first().into_iter().flat_map(|(_, run)| run.keys());
            for member in members {
                let values = runs.iter().filter_map(|(_, run)| run.get(member)?.as_f64());
                let Some(spread) = spread(values.collect()) else {
                    continue;
                };
                let [lowest, median, highest] = spread.map(|value| round(value).to_string());
                let (name, runs) = (name.to_owned(), runs.len().to_string());
                rows.push([name, member.clone(), median, lowest, highest, runs]);
            }
        }
        rows
    }
}

/// The lowest, the middle, and the highest value. An even number of values has two in the
/// middle, and their mean is told.
fn spread(mut values: Vec<f64>) -> Option<[f64; 3]> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let (lower, upper) = (values.get(last / 2)?, values.get(last.div_ceil(2))?);
    Some([*values.first()?, lower.midpoint(*upper), *values.last()?])
}

fn readable(figures: &Map<String, Value>) -> String {
    let figure = |(name, value): (&String, &Value)| format!("{name} {value}");
    figures.iter().map(figure).collect::<Vec<_>>().join("  ")
}

/// A line for whoever watches. Who has stopped watching (`| head`) stops no measurement.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The value below which `percent` of the values lie, in milliseconds; values are
/// microseconds.
pub fn percentile(values: &[u64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    let micros = sorted.get(rank).copied().unwrap_or_default();
    round(Duration::from_micros(micros).as_secs_f64() * 1000.0)
}

/// How often something happened in a second.
pub fn rate(count: usize, wall: Duration) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    round(f64::from(count) / wall.as_secs_f64().max(1e-9))
}

/// CPU seconds for a thousand.
pub fn per_thousand(cpu: Duration, count: usize) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    round(cpu.as_secs_f64() * 1000.0 / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Condition = Condition::of(std::time::Duration::from_micros(90), 20_000.0);
    const BUSY: Condition = Condition::of(std::time::Duration::from_micros(90), 10_000.0);

    fn run(report: &mut Report, round: usize, rate: f64, after: Condition) {
        report.begin("take on sqlite".to_owned(), round);
        report
            .tell("take/sqlite", json!({"taken/s": rate}))
            .unwrap();
        report.close(QUIET, after).unwrap();
    }

    #[test]
    fn the_table_shows_the_spread_of_the_runs_that_count() {
        let mut report = Report::new(None).unwrap();
        for (round, rate) in [(1, 30.0), (2, 10.0), (3, 20.0)] {
            run(&mut report, round, rate, QUIET);
        }
        run(&mut report, 4, 99.0, BUSY);
        let row = ["take/sqlite", "taken/s", "20", "10", "30", "3"];
        assert_eq!(report.rows()[1..], [row.map(str::to_owned)]);
        assert!(!report.say_what_does_not_count());
    }

    #[test]
    fn of_two_runs_neither_is_the_median() {
        assert_eq!(spread(vec![10.0, 20.0]), Some([10.0, 15.0, 20.0]));
        assert_eq!(spread(Vec::new()), None);
    }

    #[test]
    fn figures_of_a_run_that_failed_do_not_count() {
        let mut report = Report::new(None).unwrap();
        report.begin("take on sqlite".to_owned(), 1);
        report.tell("take/sqlite", json!({"taken/s": 1})).unwrap();
        report.fail(&anyhow::anyhow!("nothing came"));
        run(&mut report, 2, 20.0, QUIET);
        let row = ["take/sqlite", "taken/s", "20", "20", "20", "1"];
        assert_eq!(report.rows()[1..], [row.map(str::to_owned)]);
        let named = ["take on sqlite, round 1: failed, nothing came"];
        assert_eq!(report.wasted, named);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u64> = (1..=200).map(|value| value * 1000).collect();
        assert_eq!(percentile(&values, 50).to_bits(), 100.0_f64.to_bits());
        assert_eq!(percentile(&values, 99).to_bits(), 198.0_f64.to_bits());
        assert_eq!(percentile(&[], 99).to_bits(), 0.0_f64.to_bits());
    }
}
