//! Signed mail, verified by the library that others verify theirs with.

use std::fs;
use std::process::Command;

use beadle_tests::{TestApp, TestDatabase};
use serde_json::{Value, json};

use crate::clients::{check_installed, folder};
use crate::scene::{SOON, text, user};

beadle_tests::both_backends!(signed_mail_is_good_for_those_who_get_it);

/// What tends to break signatures on the way: spaces at ends and in rows, empty lines, full
/// stops at the beginning, headers of several lines, other scripts.
fn template() -> Value {
    let text = ".\n..dots\nspaces  \t \n\n{{user.firstName}} 😀 {{requestData.text}}\n\n\n";
    json!({"emailTemplate": {
        "name": "Signed",
        "fromEmail": "news@piedpiper.example",
        "defaultFromName": "Pied Piper, \"the\" company",
        "defaultSubject": "Größe:  {{requestData.text}} {{requestData.text}}",
        "defaultTextTemplate": text,
        "defaultHtmlTemplate": format!("<p>{text}</p>"),
    }})
}

/// A key, and the TXT record that its owner publishes, made as the documentation says.
async fn key(app: &TestApp, algorithm: &str) -> (String, String) {
    let mut wanted = json!({"name": algorithm, "algorithm": algorithm});
    if algorithm == "RS256" {
        wanted["length"] = json!(2048);
    }
    let body = json!({"key": wanted});
    let made = app.client.post("/api/key/generate", &body).await.ok();
    let lines: Vec<&str> = text(&made, "/key/publicKey").trim().lines().collect();
    let der = lines[1..lines.len() - 1].concat();
    let record = if algorithm == "RS256" {
        format!("v=DKIM1; k=rsa; p={der}")
    } else {
        let der = openssl::base64::decode_block(&der).unwrap();
        let key = openssl::base64::encode_block(&der[der.len() - 32..]);
        format!("v=DKIM1; k=ed25519; p={key}")
    };
    (text(&made, "/key/id").to_owned(), record)
}

/// What the verifier finds: the record that it asked for and the headers that are signed,
/// or why the signature is not good.
fn verified(app: &TestApp, message: &[u8], record: &str) -> Result<String, String> {
    let folder = folder("dkim");
    check_installed(&folder, "requirements.txt", ".venv/.installed");
    let mail = app.dir.path().join("mail.eml");
    fs::write(&mail, message).unwrap();
    let mut python = Command::new(folder.join(".venv/bin/python"));
    python.arg(folder.join("verify.py")).arg(&mail).arg(record);
    let output = python.output().unwrap();
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(told(&output.stdout))
    } else {
        Err(told(&output.stderr))
    }
}

async fn signed_mail_is_good_for_those_who_get_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenants = app.client.get("/api/tenant").await.ok();
    let tenant = format!("/api/tenant/{}", text(&tenants, "/tenants/0/id"));
    let made = app.client.post("/api/email/template", &template()).await;
    let letter = text(&made.ok(), "/emailTemplate/id").to_owned();
    let reader = user(&app.client, "Gilfoyle", &["de"]).await;
    for (algorithm, sent) in [("RS256", 1), ("EdDSA", 2)] {
        let (id, record) = key(&app, algorithm).await;
        let selector = algorithm.to_lowercase();
        let patch = json!({"tenant": {"emailConfiguration": {
            "dkim": {"domain": "piedpiper.example", "selector": selector, "keyId": id},
            "listUnsubscribe": "https://piedpiper.example/stop?{{url user.id}}",
            "additionalHeaders": [{"name": "X-Colour", "value": "grün  und  blau ".repeat(20)}],
        }}});
        app.client.patch(&tenant, &patch).await.ok();
        let body =
            json!({"userIds": [reader], "requestData": {"text": "many  words ".repeat(100)}});
        let path = format!("/api/email/send/{letter}");
        app.client.post(&path, &body).await.must_be(202);
        let mail = app.mail.wait_for(sent, SOON).await.remove(sent - 1);

        let found = verified(&app, &mail.raw, &record).unwrap();
        let asked = format!("{selector}._domainkey.piedpiper.example.");
        assert!(found.starts_with(&asked), "{found}");
        for header in ["from from to", "subject", "message-id", "list-unsubscribe"] {
            assert!(found.contains(header), "{header}: {found}");
        }
        let raw = str::from_utf8(&mail.raw).unwrap();
        for changed in [
            raw.replace("dots", "Dots"),
            raw.replacen("From:", "From: CEO <ceo@piedpiper.example>\r\nFrom:", 1),
        ] {
            assert_ne!(changed, raw);
            verified(&app, changed.as_bytes(), &record).unwrap_err();
        }
    }
}
