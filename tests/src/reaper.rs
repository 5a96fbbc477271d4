//! Ends the children of a test process that could not do it itself.
//!
//! A child is killed when its owner drops it; but nothing is dropped in a test process
//! that is killed. One shell per test process knows which children are alive, waits for
//! the end of its input, which comes with the end of the test process, and kills them.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

// Signals to the whole group (Ctrl-C) are for the children: it must outlive them.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
alive=' '
while read -r sign pid; do
  case $sign in
    +) alive="$alive$pid " ;;
    -) case $alive in *" $pid "*) alive="${alive%% $pid *} ${alive#* $pid }" ;; esac ;;
  esac
done
for pid in $alive; do kill -KILL "$pid" 2>/dev/null; done
"#;

static REAPER: OnceLock<Mutex<Child>> = OnceLock::new();

/// A child process is alive.
pub(crate) fn born(pid: u32) {
    tell('+', pid);
}

/// A child process has been waited for; its number may be given to another now.
pub(crate) fn buried(pid: u32) {
    tell('-', pid);
}

fn tell(sign: char, pid: u32) {
    let reaper = REAPER.get_or_init(|| Mutex::new(start()));
    let mut reaper = reaper.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stdin) = reaper.stdin.as_mut() {
        // A reaper that is gone leaves the tests as good as they were.
        let _ = writeln!(stdin, "{sign} {pid}");
    }
}

fn start() -> Child {
    Command::new("sh")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a shell runs")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn the_living_are_killed_when_the_input_ends_and_the_buried_are_left_alone() {
        let sleep = || Command::new("sleep").arg("30").spawn().unwrap();
        let (mut living, mut buried) = (sleep(), sleep());
        let mut reaper = start();
        let mut stdin = reaper.stdin.take().unwrap();
        for (sign, child) in [('+', &living), ('+', &buried), ('-', &buried)] {
            writeln!(stdin, "{sign} {}", child.id()).unwrap();
        }
        drop(stdin);
        reaper.wait().unwrap();
        assert_eq!(living.wait().unwrap().signal(), Some(9));
        assert!(buried.try_wait().unwrap().is_none());
        buried.kill().unwrap();
        buried.wait().unwrap();
    }
}
