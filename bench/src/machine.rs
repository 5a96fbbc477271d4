//! What the machine can do at this moment: without that, figures say little. A run is
//! worth nothing if flushing 8 kB takes over a millisecond.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Rounds of the probe.
const ROUNDS: u32 = 200;

/// How long `fdatasync` of 8 kB takes on the disk that the databases are on, on average.
pub fn flush_time() -> Result<Duration> {
    let dir = tempfile::TempDir::with_prefix("beadle-bench-")?;
    let mut file = File::create(dir.path().join("probe"))?;
    let page = [0x5a; 8192];
    let began = Instant::now();
    for _ in 0..ROUNDS {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)?;
        file.sync_data()?;
    }
    Ok(began.elapsed() / ROUNDS)
}
