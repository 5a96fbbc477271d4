//! What the machine can do at this moment: without that, figures say little. It is looked
//! at before and after each run, and decides whether the run counts.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::round::round;

/// Flushes of one look.
const FLUSHES: u32 = 200;

/// How long messages go to and fro in one look before they are counted: cores wake up, and
/// the scheduler gives each of them a thread.
const WARM_UP: Duration = Duration::from_millis(100);

/// How long they are counted at a stretch. The rate is the median of the stretches, so that
/// a moment's disturbance does not count.
const STRETCH: Duration = Duration::from_millis(50);

/// Stretches of one look.
const STRETCHES: usize = 9;

/// Bytes of a message that goes to and fro.
const MESSAGE: usize = 512;

/// With a slower disk, figures say more of the disk than of Beadle.
const SLOWEST_FLUSH: Duration = Duration::from_millis(1);

/// How far the loopback rate may move, as a part of the rate before.
const DRIFT: f64 = 0.25;

/// One look at the machine.
#[derive(Debug, Clone, Copy)]
pub struct Condition {
    /// How long `fdatasync` of 8 kB takes on the disk that the databases are on, on average.
    flush: Duration,
    /// Messages that go to and fro over the loopback interface in a second, over as many
    /// connections as there are cores.
    loopback: f64,
}

impl Condition {
    /// Looks now; takes little more than half a second.
    pub fn now() -> Result<Self> {
        Ok(Self {
            flush: flush_time()?,
            loopback: loopback_rate().context("the loopback interface")?,
        })
    }

    /// What a look would have found.
    #[cfg(test)]
    pub const fn of(flush: Duration, loopback: f64) -> Self {
        Self { flush, loopback }
    }

    /// What speaks against a run between this look and a later one.
    pub fn objection(self, after: Self) -> Option<String> {
        let slowest = self.flush.max(after.flush);
        if slowest > SLOWEST_FLUSH {
            return Some(format!(
                "flushing 8 kB took {slowest:.2?}, over {SLOWEST_FLUSH:?}"
            ));
        }
        let drift = (after.loopback - self.loopback).abs() / self.loopback.max(1.0);
        (drift > DRIFT).then(|| {
            let (before, after) = (self.loopback.round(), after.loopback.round());
            format!("the loopback rate went from {before} to {after}/s, by over a quarter")
        })
    }

    /// For a line of JSON.
    pub fn figures(self) -> Value {
        json!({
            "flush ms": round(self.flush.as_secs_f64() * 1000.0),
            "loopback/s": self.loopback.round(),
        })
    }
}

fn flush_time() -> Result<Duration> {
    let dir = tempfile::TempDir::with_prefix("beadle-bench-")?;
    let mut file = File::create(dir.path().join("probe"))?;
    let page = [0x5a; 8192];
    let began = Instant::now();
    for _ in 0..FLUSHES {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)?;
        file.sync_data()?;
    }
    Ok(began.elapsed() / FLUSHES)
}

/// One thread and one connection for each core; each thread has both ends of its own. If
/// the ends were with two threads, they would wait for each other, and the rate would say
/// on which cores the two happen to be, and how deep those sleep between two messages.
fn loopback_rate() -> Result<f64> {
    let cores = std::thread::available_parallelism()?.get();
    let talks: Vec<_> = (0..cores).map(|_| std::thread::spawn(talk)).collect();
    let mut together = [0.0; STRETCHES];
    for talk in talks {
        let rates = talk.join();
        let rates = rates.map_err(|_| anyhow::anyhow!("a talking thread panicked"))??;
        for (sum, rate) in together.iter_mut().zip(rates) {
            *sum += rate;
        }
    }
    together.sort_by(f64::total_cmp);
    let median = together.get(STRETCHES / 2);
    Ok(median.copied().unwrap_or_default())
}

/// Messages to and fro in a second, in each stretch.
fn talk() -> Result<Vec<f64>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut here = TcpStream::connect(listener.local_addr()?)?;
    let (mut there, _) = listener.accept()?;
    here.set_nodelay(true)?;
    there.set_nodelay(true)?;
    let mut message = [0x5a; MESSAGE];
    let mut rate_of = |stretch| {
        let (began, mut talks) = (Instant::now(), 0_u32);
        while began.elapsed() < stretch {
            here.write_all(&message)?;
            there.read_exact(&mut message)?;
            there.write_all(&message)?;
            here.read_exact(&mut message)?;
            talks += 1;
        }
        Ok(f64::from(talks) / began.elapsed().as_secs_f64())
    };
    rate_of(WARM_UP)?;
    (0..STRETCHES).map(|_| rate_of(STRETCH)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Condition = Condition::of(Duration::from_micros(90), 20_000.0);

    #[test]
    fn a_run_on_a_quiet_machine_counts() {
        let after = Condition {
            loopback: 15_100.0,
            flush: Duration::from_micros(990),
        };
        assert_eq!(QUIET.objection(after), None);
    }

    #[test]
    fn a_run_on_a_slow_disk_does_not_count_before_or_after() {
        let slow = Condition {
            flush: Duration::from_micros(1010),
            ..QUIET
        };
        for (before, after) in [(QUIET, slow), (slow, QUIET)] {
            let objection = before.objection(after).expect("an objection");
            assert_eq!(objection, "flushing 8 kB took 1.01ms, over 1ms");
        }
    }

    #[test]
    fn a_run_does_not_count_if_the_loopback_rate_moved_by_over_a_quarter() {
        for rate in [14_900.0, 25_100.0] {
            let after = Condition {
                loopback: rate,
                ..QUIET
            };
            let objection = QUIET.objection(after).expect("an objection");
            assert_eq!(
                objection,
                format!("the loopback rate went from 20000 to {rate}/s, by over a quarter")
            );
        }
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let condition = Condition::now().expect("a look");
        assert!(condition.loopback > 0.0 && condition.flush > Duration::ZERO);
    }
}
