//! A PostgreSQL server that forgets nothing in a crash: fsync is on, as in production.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The server; it stops when its standard input ends.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    script: Child,
    pipe: Option<ChildStdin>,
}

impl Postgres {
    /// Makes an empty cluster and starts it, which takes a second or two.
    ///
    /// # Errors
    /// There are no server programs, or they fail.
    pub fn start() -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../script/postgres");
        let mut child = Command::new(&script)
            .args(["--durable", "--serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", script.display()))?;
        let stdout = child.stdout.take();
        let mut server = Self {
            url: String::new(),
            pipe: child.stdin.take(),
            script: child,
        };
        let mut line = String::new();
        BufReader::new(stdout.context("standard output was asked for")?).read_line(&mut line)?;
        ensure!(!line.is_empty(), "script/postgres started no server");
        line.trim().clone_into(&mut server.url);
        Ok(server)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process that all of the server's descend from.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.script.id()
    }
}

/// Returns when the server and its files are gone: their removal would disturb whatever is
/// measured next.
impl Drop for Postgres {
    fn drop(&mut self) {
        self.pipe = None;
        // It may have ended already.
        let _ = self.script.wait();
    }
}
