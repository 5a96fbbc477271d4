//! Figures as they are told: a line for people and a line of JSON for programs, for each.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::machine::Condition;

/// Where figures go.
#[derive(Debug)]
pub struct Report {
    lines: Option<File>,
    /// Those of the run that is under way.
    current: Vec<Told>,
    /// Those of the runs that count.
    accepted: Vec<Told>,
    rejected: usize,
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
            current: Vec::new(),
            accepted: Vec::new(),
            rejected: 0,
        })
    }

    /// Tells what a scenario found.
    pub fn tell(&mut self, scenario: &str, figures: Value) -> Result<()> {
        let Value::Object(figures) = figures else {
            anyhow::bail!("{scenario}: figures are an object");
        };
        say(&format!("{scenario:<28} {}", readable(&figures)));
        self.current.push((scenario.to_owned(), figures));
        Ok(())
    }

    /// Ends a run: writes its lines, and keeps its figures if the machine was fit for it.
    pub fn close(&mut self, round: usize, before: Condition, after: Condition) -> Result<()> {
        let told = std::mem::take(&mut self.current);
        if told.is_empty() {
            return Ok(());
        }
        let objection = before.objection(after);
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
            Some(reason) => {
                say(&format!("{:<28} rejected: {reason}", ""));
                self.rejected += 1;
            }
            None => self.accepted.extend(told),
        }
        Ok(())
    }

    /// How many runs do not count.
    pub fn rejected(&self) -> usize {
        self.rejected
    }

    /// A table of all figures that count: the median of the runs, the lowest, the highest.
    pub fn table(&self) {
        let line = |cells: [&str; 6]| {
            let [scenario, figure, median, lowest, highest, runs] = cells;
            say(&format!(
                "{scenario:<36} {figure:<24} {median:>12} {lowest:>12} {highest:>12} {runs:>4}"
            ));
        };
        say("");
        line(["scenario", "figure", "median", "lowest", "highest", "runs"]);
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
                let runs = runs.len().to_string();
                line([name, member, &median, &lowest, &highest, &runs]);
            }
        }
    }
}

/// The lowest, the middle, and the highest value.
fn spread(mut values: Vec<f64>) -> Option<[f64; 3]> {
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2)?;
    Some([*values.first()?, *middle, *values.last()?])
}

fn readable(figures: &Map<String, Value>) -> String {
    let figure = |(name, value): (&String, &Value)| format!("{name} {value}");
    figures.iter().map(figure).collect::<Vec<_>>().join("  ")
}

/// A line for whoever watches.
#[expect(clippy::print_stdout, reason = "this is what the program is for")]
pub fn say(line: &str) {
    println!("{line}");
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

/// Three decimals: the machine is no better than that.
pub fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u64> = (1..=200).map(|value| value * 1000).collect();
        assert_eq!(percentile(&values, 50).to_bits(), 100.0_f64.to_bits());
        assert_eq!(percentile(&values, 99).to_bits(), 198.0_f64.to_bits());
        assert_eq!(percentile(&[], 99).to_bits(), 0.0_f64.to_bits());
    }
}
