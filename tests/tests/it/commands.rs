//! The command line: what is printed, what is left behind, how it ends.

use std::time::Duration;

use beadle_tests::process::{Finished, Invocation, Program, Settings};
use beadle_tests::world::settings_for;
use beadle_tests::{TestApp, TestDatabase};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);

beadle_tests::both_backends!(
    create_api_key_prints_the_key_alone,
    migrate_can_be_repeated,
    a_key_is_printed_once_when_none_is_given,
);

async fn create_api_key_prints_the_key_alone(db: TestDatabase) {
    let app = TestApp::builder(db).workers(0).start().await;
    let all = app
        .command(&["create-api-key", "--name", "support tool"])
        .await;
    let only_get = ["--permission", "GET /api/user-action"];
    let mut args = vec!["create-api-key", "--name", "reader"];
    args.extend(only_get);
    let reader = app.command(&args).await;

    for finished in [&all, &reader] {
        assert_eq!(finished.code(), Some(0), "{finished:?}");
        let key = finished.stdout.strip_suffix('\n');
        let key = key.unwrap_or_else(|| panic!("no line end: {finished:?}"));
        assert!(key.len() >= 20, "{finished:?}");
        assert!(!key.contains(char::is_whitespace), "{finished:?}");
    }
    let all = app.client.with_key(all.stdout.trim());
    all.get("/api/user-action").await.ok();
    all.get("/api/webhook").await.ok();
    let reader = app.client.with_key(reader.stdout.trim());
    reader.get("/api/user-action").await.ok();
    assert_eq!(reader.get("/api/webhook").await.status, 401);
}

async fn migrate_can_be_repeated(db: TestDatabase) {
    let dir = TempDir::new().unwrap();
    let settings = settings_for(&db);
    let migrate = Invocation::new(Program::Api, &["migrate"], &settings, dir.path());
    // Side by side as well: one of them does it, all of them succeed.
    let (a, b) = tokio::join!(migrate.run(SOON), migrate.run(SOON));
    let c = migrate.run(SOON).await;
    for finished in [a, b, c] {
        assert_eq!(finished.code(), Some(0), "{finished:?}");
    }
    assert!(db.row_counts().contains_key("outbox"));
}

async fn a_key_is_printed_once_when_none_is_given(db: TestDatabase) {
    let mut app = TestApp::builder(db)
        .workers(0)
        .unset("BEADLE_API_KEY")
        .start()
        .await;
    let first = app.api().log();
    app.stop_api().await;
    let words: Vec<&str> = first.split_whitespace().collect();
    let mut keys = Vec::new();
    app.start_api().await;
    for word in words {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        if word.len() >= 20 && app.client.with_key(word).get("/api/tenant").await.status == 200 {
            keys.push(word.to_owned());
        }
    }
    assert_eq!(keys.len(), 1, "{first}");
    let again = app.api().log();
    let second = again.strip_prefix(first.as_str()).unwrap_or(&again);
    assert!(!second.contains(&keys[0]), "{second}");
}

/// Starts a program on a database that cannot be had, and returns its one line.
async fn refusal(program: Program, url: &str, dir: &TempDir) -> String {
    let mut settings = Settings::default();
    settings
        .set("DATABASE_URL", url)
        .set("BEADLE_LISTEN", "127.0.0.1:0")
        .set("BEADLE_SECRET_KEY", "0f".repeat(32));
    let finished = Invocation::new(program, &[], &settings, dir.path())
        .run(SOON)
        .await;
    assert_ne!(finished.code(), Some(0), "{finished:?}");
    assert!(finished.code().is_some(), "ended by a signal: {finished:?}");
    only_line(&finished)
}

fn only_line(finished: &Finished) -> String {
    let lines: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{finished:?}");
    assert!(!lines[0].contains("panicked"), "{finished:?}");
    lines[0].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_database_url_gives_one_clear_line_and_no_file() {
    for program in [Program::Api, Program::Worker] {
        let cases = [
            // Not a URL that names a database.
            ("typo.db", "typo.db"),
            ("mysql://localhost/beadle", "mysql"),
            // A folder that is not there.
            ("sqlite://no/such/folder/beadle.db", "no/such/folder"),
            // Nobody listens.
            ("postgres://beadle:hunter2@127.0.0.1:1/beadle", "127.0.0.1"),
        ];
        for (url, named) in cases {
            let dir = TempDir::new().unwrap();
            let line = refusal(program, url, &dir).await;
            assert!(line.contains(named), "{url}: {line}");
            assert!(!line.contains("hunter2"), "a password is printed: {line}");
            let left = std::fs::read_dir(dir.path()).unwrap().count();
            assert_eq!(left, 0, "{url}: something was written");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_option_ends_with_2_and_help_with_0() {
    for program in [Program::Api, Program::Worker] {
        let dir = TempDir::new().unwrap();
        for (args, code) in [("--no-such-option", 2), ("--help", 0), ("--version", 0)] {
            let run = Invocation::new(program, &[args], &Settings::default(), dir.path());
            let finished = run.run(SOON).await;
            assert_eq!(finished.code(), Some(code), "{args}: {finished:?}");
        }
        let help = Invocation::new(program, &["--help"], &Settings::default(), dir.path());
        let help = help.run(SOON).await.stdout;
        assert!(help.contains("DATABASE_URL"), "{help}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

/// The demo counts what arrives itself, and fails if anything is missing or wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_tells_the_whole_story_and_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    // What an operator's environment holds must not matter.
    let mut settings = Settings::default();
    settings.set("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing");
    let demo = Invocation::new(Program::Demo, &[], &settings, dir.path());
    let finished = demo.run(SOON).await;
    assert_eq!(finished.code(), Some(0), "{finished:?}");
    for language in ["German", "French", "English"] {
        assert!(
            finished.stdout.contains(language),
            "{language}: {finished:?}"
        );
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
