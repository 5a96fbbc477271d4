//! The binaries under test as child processes.

mod program;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::reaper;

pub use program::Program;

/// How often a child is asked whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A loopback port that nothing listens on, and that this process has not given out yet.
///
/// Taken from below the range that the kernel uses for outgoing connections, so that none
/// of those takes it before the server does.
pub fn free_port() -> u16 {
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 10_000;
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    let mut offset = next.unwrap_or_else(|| {
        // Test processes that run side by side start at different places.
        let spread = std::process::id().wrapping_mul(97) % u32::from(COUNT);
        u16::try_from(spread).unwrap_or_default()
    });
    loop {
        offset = (offset + 1) % COUNT;
        *next = Some(offset);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST + offset)).is_ok() {
            return FIRST + offset;
        }
    }
}

/// The environment of a child: these settings and next to nothing else.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Sets one variable, in place of an earlier value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves one variable unset.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.0.remove(name);
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A program with arguments, about to be started in a folder of its own.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Which binary.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment.
    pub settings: Settings,
    /// Its working directory: relative paths in settings start there.
    pub dir: PathBuf,
}

impl Invocation {
    /// `program args…` with these settings, in `dir`.
    pub fn new(program: Program, args: &[&str], settings: &Settings, dir: &Path) -> Self {
        Self {
            program,
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            settings: settings.clone(),
            dir: dir.to_owned(),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program.path());
        command
            .args(&self.args)
            .env_clear()
            .env("HOME", &self.dir)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("RUST_BACKTRACE", "1")
            .envs(&self.settings.0)
            .current_dir(&self.dir)
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it has not ended in time.
    pub async fn run(&self, timeout: Duration) -> Finished {
        let out = tempfile::NamedTempFile::new().expect("a temporary file");
        let err = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut command = self.command();
        command
            .stdout(writer(out.path()))
            .stderr(writer(err.path()));
        let mut running = Running::spawn(&mut command, self.program);
        let status = running.wait(timeout).await;
        let finished = Finished {
            status,
            stdout: text(out.path()),
            stderr: text(err.path()),
        };
        assert!(
            status.is_some(),
            "{self:?} did not end within {timeout:?}: {finished:?}"
        );
        finished
    }

    /// Starts it and leaves it running; `name` tells the process apart in the output of a
    /// failed test.
    pub fn start(&self, name: &str) -> Process {
        let log = self.dir.join(format!("{name}.log"));
        let mut command = self.command();
        command.stdout(writer(&log)).stderr(writer(&log));
        Process {
            running: Running::spawn(&mut command, self.program),
            name: name.to_owned(),
            log,
        }
    }
}

/// What a program that ended left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended; `None` when it had to be killed.
    pub status: Option<ExitStatus>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// Its exit code, unless a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }
}

/// Appends, so that a server started again keeps the log of its former life.
fn writer(path: &Path) -> File {
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .expect("a log file can be written")
}

fn text(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A child that dies with its owner.
struct Running {
    child: Child,
    ended: Option<ExitStatus>,
}

impl Running {
    fn spawn(command: &mut Command, program: Program) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.name()));
        reaper::born(child.id());
        Self { child, ended: None }
    }

    /// How it ended, if it has.
    fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("a child can be waited for");
            if self.ended.is_some() {
                reaper::buried(self.child.id());
            }
        }
        self.ended
    }

    async fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + timeout;
        while self.ended().is_none() && Instant::now() < deadline {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.ended
    }

    fn kill(&mut self) {
        if self.ended().is_some() {
            return;
        }
        let _ = self.child.kill();
        self.ended = self.child.wait().ok();
        reaper::buried(self.child.id());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server or worker that runs; killed when dropped. If the test has failed by then, what
/// it printed is part of the test's output.
pub struct Process {
    running: Running,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Its number.
    pub fn id(&self) -> u32 {
        self.running.child.id()
    }

    /// SIGKILL: it gets no chance to tidy up. Returns when it is gone.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// SIGTERM, and how it ended.
    ///
    /// # Panics
    /// When it has not ended in time.
    pub async fn terminate(&mut self, timeout: Duration) -> ExitStatus {
        let pid = self.running.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -TERM {pid}"
        );
        let status = self.running.wait(timeout).await;
        status.unwrap_or_else(|| panic!("{} still runs {timeout:?} after SIGTERM", self.name))
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.running.ended()
    }

    /// The most memory that it ever had, in bytes (`VmHWM`).
    ///
    /// # Panics
    /// Where the kernel does not tell.
    pub fn peak_memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.running.child.id());
        let status = fs::read_to_string(status).expect("a process that runs has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.expect("Linux tells the peak of memory") * 1024
    }

    /// What it printed so far, both streams.
    pub fn log(&self) -> String {
        text(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.running.kill();
        if std::thread::panicking() {
            report(&self.name, &self.log());
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the test runner shows it with the failed test"
)]
fn report(name: &str, log: &str) {
    const LINES: usize = 60;
    let lines: Vec<&str> = log.lines().collect();
    let tail = lines.get(lines.len().saturating_sub(LINES)..);
    eprintln!("---- last lines of {name} ----");
    for line in tail.unwrap_or_default() {
        eprintln!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn shell(dir: &Path, script: &str) -> Process {
        let log = dir.join("log");
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(writer(&log));
        Process {
            running: Running::spawn(&mut command, Program::Api),
            name: "shell".to_owned(),
            log,
        }
    }

    #[tokio::test]
    async fn a_process_is_asked_to_stop_and_tells_how_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
        let mut polite = shell(dir.path(), script);
        while polite.log() != "ready\n" {
            assert_eq!(polite.ended(), None);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let status = polite.terminate(Duration::from_secs(10)).await;
        assert_eq!(status.code(), Some(7));
    }

    #[test]
    fn a_killed_process_is_gone_when_the_call_returns() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "exec sleep 30");
        process.kill();
        assert!(process.ended().is_some_and(|status| !status.success()));
    }

    #[test]
    fn a_port_is_given_out_once() {
        let ports: BTreeSet<u16> = (0..50).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 50);
    }
}
