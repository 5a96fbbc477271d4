//! Whatever the description permits, or does not, can be sent: no answer is one that it does
//! not tell of, none is the server's fault, and no connection is cut.
//!
//! Schemathesis makes up the requests, the same ones every time; `script/test` installs it.
//! Half of what it names is there, so that it gets beyond "no such object".

use std::fmt::Write;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

use beadle_tests::{TestApp, TestDatabase};

use crate::clients::{check_installed, folder, wait};
use crate::endpoints::Stock;

/// Operations by what they do, so that they are tried side by side, each with all of its
/// own: what is deleted could not be asked for any more.
const BY_QUERY: &[&str] = &["--include-method", "GET"];
const CREATIONS: &[&str] = &["--include-method", "POST"];
const CHANGES: &[&str] = &["--include-method-regex", "PUT|PATCH"];
const DELETIONS: &[&str] = &["--include-method", "DELETE"];

/// On a busy machine. All of them take less than three minutes where nothing else runs.
const PATIENCE: Duration = Duration::from_secs(240);

beadle_tests::both_backends!(
    whatever_is_asked_for_is_answered_as_described,
    whatever_is_created_is_answered_as_described,
    whatever_is_changed_is_answered_as_described,
    whatever_is_deleted_is_answered_as_described,
);

async fn whatever_is_asked_for_is_answered_as_described(db: TestDatabase) {
    try_out(db, BY_QUERY).await;
}

async fn whatever_is_created_is_answered_as_described(db: TestDatabase) {
    try_out(db, CREATIONS).await;
}

async fn whatever_is_changed_is_answered_as_described(db: TestDatabase) {
    try_out(db, CHANGES).await;
}

async fn whatever_is_deleted_is_answered_as_described(db: TestDatabase) {
    try_out(db, DELETIONS).await;
}

async fn try_out(db: TestDatabase, operations: &'static [&str]) {
    let folder = folder("schemathesis");
    check_installed(&folder, "requirements.txt", ".venv/.installed");
    let mut app = TestApp::builder(db)
        .set("BEADLE_SQLITE_SYNCHRONOUS", "normal")
        .start()
        .await;
    let stock = Stock::create(&app.client).await;
    let settings = fs::read_to_string(folder.join("schemathesis.toml")).unwrap();
    let file = app.dir.path().join("schemathesis.toml");
    fs::write(&file, settings + &known(&stock)).unwrap();
    let log = app.dir.path().join("schemathesis.log");
    let output = File::create(&log).unwrap();
    let mut command = Command::new(folder.join(".venv/bin/schemathesis"));
    command
        .arg("--config-file")
        .arg(&file)
        .arg("run")
        .arg(format!("{}/openapi.json", app.client.base()))
        .args(["--header", &format!("Authorization: {}", app.key)])
        .args(["--no-color", "--warnings", "off"])
        .args(operations)
        .current_dir(app.dir.path())
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    let status = wait(&mut command.spawn().unwrap(), PATIENCE).await;
    let report = fs::read_to_string(&log).unwrap();
    let status = status.unwrap_or_else(|| panic!("it takes too long: {report}"));
    assert!(status.success(), "{report}");
    assert_eq!(app.api().ended(), None, "the API has ended");
    let log = app.api().log();
    let fault = log.lines().find(|line| line.contains("panicked at"));
    assert_eq!(fault, None);
}

/// Where Ids of the stock belong beside the paths that name them.
const PLACES: &[(&str, &str)] = &[
    ("query.userId", "userId"),
    ("query.userActionId", "userActionId"),
    ("body.action.actioneeUserId", "userId"),
    ("body.action.actionerUserId", "actionerUserId"),
    ("body.action.userActionId", "userActionId"),
    ("body.action.reasonId", "userActionReasonId"),
    ("body.registration.applicationId", "applicationId"),
];

/// What there is, in the words of the settings.
fn known(stock: &Stock) -> String {
    let mut settings = String::new();
    let mut places = String::new();
    for (name, id) in stock.ids() {
        writeln!(settings, "\n[dictionaries.{name}]\nvalues = [\"{id}\"]").unwrap();
        writeln!(places, "{}", bound(&format!("path.{name}"), name)).unwrap();
    }
    for (place, name) in PLACES {
        writeln!(places, "{}", bound(place, name)).unwrap();
    }
    // Another one would hide all that comes after it.
    let tenant = stock.ids().find(|(name, _)| *name == "tenantId").unwrap().1;
    writeln!(places, "\"header.X-FusionAuth-TenantId\" = \"{tenant}\"").unwrap();
    // Two kinds of keys are called the same.
    let signing = bound("path.keyId", "signingKeyId");
    format!(
        "{settings}\n[parameters]\n{places}\n\
         [[operations]]\ninclude-path-regex = \"^/api/key/\"\n[operations.parameters]\n{signing}\n"
    )
}

fn bound(place: &str, name: &str) -> String {
    format!("\"{place}\" = {{ dictionary = \"{name}\", probability = 0.6 }}")
}
