//! The official clients cannot tell the difference: each drives a server through its own
//! acceptance story, in `tests/clients`, and calls every method that is promised.
//!
//! `script/test` installs them; the stories themselves are run as they are by hand.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use beadle_tests::{TestApp, TestDatabase};

/// A story takes ten seconds, half of them waiting for an action to expire.
const PATIENCE: Duration = Duration::from_secs(180);

beadle_tests::both_backends!(
    the_typescript_client_is_at_home,
    the_python_client_is_at_home,
);

async fn the_typescript_client_is_at_home(db: TestDatabase) {
    let folder = folder("typescript");
    check_installed(&folder, "package-lock.json", "node_modules/.installed");
    let mut node = Command::new("node");
    node.arg("story.js");
    play(db, &folder, node).await;
}

async fn the_python_client_is_at_home(db: TestDatabase) {
    let folder = folder("python");
    check_installed(&folder, "requirements.txt", ".venv/.installed");
    let mut python = Command::new(folder.join(".venv/bin/python"));
    python.arg("story.py").env("PYTHONDONTWRITEBYTECODE", "1");
    play(db, &folder, python).await;
}

/// Where a client's story, or another program of others, stands.
pub fn folder(client: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(client)
}

/// A client of another version than the list names would prove nothing.
pub fn check_installed(folder: &Path, list: &str, stamp: &str) {
    let wanted = fs::read(folder.join(list)).unwrap();
    let installed = fs::read(folder.join(stamp)).ok();
    assert!(
        installed.as_deref() == Some(wanted.as_slice()),
        "the client in {} is not installed, or not as {list} has it: run script/test",
        folder.display()
    );
}

async fn play(db: TestDatabase, folder: &Path, mut story: Command) {
    let app = TestApp::start(db).await;
    let log = app.dir.path().join("story.log");
    let output = File::create(&log).unwrap();
    story
        .current_dir(folder)
        .env("BEADLE_URL", app.client.base())
        .env("BEADLE_MANAGER_KEY", &app.key)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    let child = story.spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{story:?} cannot be started: {error}"));
    let status = wait(&mut child, PATIENCE).await;
    let told = fs::read_to_string(&log).unwrap();
    let end = status.map_or("it did not end".to_owned(), |status| status.to_string());
    assert!(
        status.is_some_and(|status| status.success()),
        "{end}\n{told}"
    );
}

/// How it ended; `None` when it had to be killed.
pub async fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}
