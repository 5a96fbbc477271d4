//! What processes have used, from `/proc`: CPU time and memory, children included.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Between two looks at memory.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Clock ticks of `/proc/PID/stat` in a second; Linux has shown this figure to programs
/// for decades, whatever its own.
const TICKS: u64 = 100;

/// CPU time used so far by the processes and all their descendants.
pub fn cpu(roots: &[u32]) -> Duration {
    let ticks: u64 = family(roots).iter().filter_map(|pid| ticks_of(*pid)).sum();
    Duration::from_millis(ticks * (1000 / TICKS))
}

/// The most memory that processes have used while they were watched.
#[derive(Debug)]
pub struct Peak {
    largest: Arc<AtomicU64>,
    watching: tokio::task::JoinHandle<()>,
}

impl Peak {
    /// Looks ten times a second from now on.
    pub fn watch(processes: Vec<u32>) -> Self {
        let largest = Arc::new(AtomicU64::new(0));
        let found = Arc::clone(&largest);
        let watching = tokio::spawn(async move {
            loop {
                found.fetch_max(memory(&processes), Ordering::Relaxed);
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
        Self { largest, watching }
    }

    /// The most so far, in KiB.
    pub fn stop(self) -> u64 {
        self.watching.abort();
        self.largest.load(Ordering::Relaxed)
    }
}

/// Memory of the processes and all their descendants in KiB, pages that they share with
/// others by their share.
pub fn memory(roots: &[u32]) -> u64 {
    family(roots).iter().filter_map(|pid| pss_of(*pid)).sum()
}

fn family(roots: &[u32]) -> Vec<u32> {
    let mut parents = BTreeMap::<u32, Vec<u32>>::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some((pid, parent)) = pid.and_then(|pid| Some((pid, parent_of(pid)?))) {
            parents.entry(parent).or_default().push(pid);
        }
    }
    let mut found = roots.to_vec();
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        found.extend(parents.get(&pid).into_iter().flatten());
        next += 1;
    }
    found
}

/// The fields of `/proc/PID/stat` after the name, which may hold anything.
fn fields_of(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

fn parent_of(pid: u32) -> Option<u32> {
    fields_of(pid)?.get(1)?.parse().ok()
}

/// User and system time, and those of children that have ended.
fn ticks_of(pid: u32) -> Option<u64> {
    let fields = fields_of(pid)?;
    let times = fields.get(11..15)?;
    times.iter().map(|time| time.parse::<u64>().ok()).sum()
}

fn pss_of(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory() {
        assert!(memory(&[std::process::id()]) > 0);
    }
}
