//! A PostgreSQL server that forgets nothing in a crash: fsync is on, as in production.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// The server; it stops when its standard input ends, which is when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    id: u32,
    _script: Child,
    _pipe: Option<ChildStdin>,
}

impl Postgres {
    /// Makes an empty cluster and starts it.
    pub async fn start() -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../script/postgres");
        let mut child = Command::new(&script)
            .args(["--durable", "--serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", script.display()))?;
        let stdout = child
            .stdout
            .take()
            .context("standard output was asked for")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url).await?;
        ensure!(!url.is_empty(), "script/postgres started no server");
        Ok(Self {
            url: url.trim().to_owned(),
            id: child.id().context("the server has ended")?,
            _pipe: child.stdin.take(),
            _script: child,
        })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process that all of the server's descend from.
    pub fn id(&self) -> u32 {
        self.id
    }
}
