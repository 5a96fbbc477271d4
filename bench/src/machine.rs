//! What the machine can do at this moment: without that, figures say little. It is looked
//! at before and after each run, and decides whether the run counts.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::figures::round;

/// Flushes of one look.
const FLUSHES: u32 = 200;

/// How long messages go to and fro in one look.
const TALK: Duration = Duration::from_millis(400);

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
    /// Messages that go to and fro over one connection of the loopback interface in a second.
    loopback: f64,
}

impl Condition {
    /// Looks now; takes about half a second.
    pub fn now() -> Result<Self> {
        Ok(Self {
            flush: flush_time()?,
            loopback: loopback_rate().context("the loopback interface")?,
        })
    }

    /// What speaks against a run between this look and a later one.
    pub fn objection(self, after: Self) -> Option<String> {
        let slowest = self.flush.max(after.flush);
        if slowest > SLOWEST_FLUSH {
            return Some(format!("flushing 8 kB took {slowest:?}"));
        }
        let drift = (after.loopback - self.loopback).abs() / self.loopback.max(1.0);
        (drift > DRIFT).then(|| {
            let (before, after) = (self.loopback.round(), after.loopback.round());
            format!("the loopback rate went from {before} to {after}/s")
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

fn loopback_rate() -> Result<f64> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let answering = std::thread::spawn(move || -> Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut message = [0; MESSAGE];
        // The end of the conversation is no error.
        while stream.read_exact(&mut message).is_ok() {
            stream.write_all(&message)?;
        }
        Ok(())
    });
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut message = [0x5a; MESSAGE];
    let (began, mut talks) = (Instant::now(), 0_u32);
    while began.elapsed() < TALK {
        stream.write_all(&message)?;
        stream.read_exact(&mut message)?;
        talks += 1;
    }
    let wall = began.elapsed();
    drop(stream);
    let answered = answering.join();
    answered.map_err(|_| anyhow::anyhow!("the answering thread panicked"))??;
    Ok(f64::from(talks) / wall.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Condition = Condition {
        flush: Duration::from_micros(90),
        loopback: 20_000.0,
    };

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
            flush: Duration::from_micros(1001),
            ..QUIET
        };
        for (before, after) in [(QUIET, slow), (slow, QUIET)] {
            let objection = before.objection(after).expect("an objection");
            assert_eq!(objection, "flushing 8 kB took 1.001ms");
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
                format!("the loopback rate went from 20000 to {rate}/s")
            );
        }
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let condition = Condition::now().expect("a look");
        assert!(condition.loopback > 0.0 && condition.flush > Duration::ZERO);
    }
}
