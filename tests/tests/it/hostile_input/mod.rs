//! Malformed input is never a 500: whatever is sent, the answer is a refusal that a client
//! can read, and nothing panics.
//!
//! Every combination is fixed, so that what fails once fails again.

mod bodies;
mod slow;
mod values;

use beadle_tests::{Client, Reply, TestApp, TestDatabase};
use hyper::Method;
use serde_json::Value;

use crate::endpoints::{ENDPOINTS, Endpoint, Stock};
use bodies::{Body, bad_patches, no_object, with_one_member_wrong};

beadle_tests::both_backends!(
    no_member_of_a_body_can_break_a_request,
    no_body_at_all_can_break_a_request,
    no_path_query_or_header_can_break_a_request,
);

const JSON: &str = "application/json";

/// Larger than `BEADLE_BODY_LIMIT` is by default.
const OVERSIZED: usize = (1 << 20) + 1;

async fn start(db: TestDatabase) -> (TestApp, Stock) {
    let app = TestApp::builder(db)
        .set("BEADLE_SQLITE_SYNCHRONOUS", "normal")
        .start()
        .await;
    let stock = Stock::create(&app.client).await;
    (app, stock)
}

async fn no_member_of_a_body_can_break_a_request(db: TestDatabase) {
    let (mut app, stock) = start(db).await;
    for (seed, endpoint) in with_bodies().enumerate() {
        let client = stock.client.with("content-type", JSON);
        for body in with_one_member_wrong(&stock.sample(endpoint), seed) {
            attack(&client, endpoint, &stock.path(endpoint), body).await;
        }
    }
    check_log(&mut app);
}

async fn no_body_at_all_can_break_a_request(db: TestDatabase) {
    const MEDIA_TYPES: [&str; 7] = [
        "text/plain",
        "application/jsonp",
        "application/json; charset=utf-16",
        "application/merge-patch+json",
        "application/json-patch+json",
        "multipart/form-data",
        "/;=,",
    ];
    let (mut app, stock) = start(db).await;
    for endpoint in with_bodies() {
        let path = stock.path(endpoint);
        let json = stock.client.with("content-type", JSON);
        for body in no_object(&stock.sample(endpoint)) {
            attack(&json, endpoint, &path, body).await;
        }
        for media_type in MEDIA_TYPES {
            let client = stock.client.with("content-type", media_type);
            let sample = stock.sample(endpoint).into_bytes();
            attack(&client, endpoint, &path, (media_type.to_owned(), sample)).await;
        }
        let patch = stock
            .client
            .with("content-type", "application/json-patch+json");
        for body in bad_patches() {
            attack(&patch, endpoint, &path, body).await;
        }
        let oversized = ("an oversized body".to_owned(), vec![b' '; OVERSIZED]);
        let reply = attack(&json, endpoint, &path, oversized).await;
        assert!(
            [400, 413].contains(&reply.status),
            "{endpoint:?}: {reply:?}"
        );
    }
    check_log(&mut app);
}

async fn no_path_query_or_header_can_break_a_request(db: TestDatabase) {
    let (mut app, stock) = start(db).await;
    for endpoint in ENDPOINTS {
        let sample = || ("a sample".to_owned(), stock.sample(endpoint).into_bytes());
        for path in bad_paths(endpoint) {
            attack(&stock.client, endpoint, &path, sample()).await;
        }
        for query in bad_queries(endpoint) {
            let path = format!("{}?{query}", stock.path(endpoint));
            attack(&stock.client, endpoint, &path, sample()).await;
        }
        for (header, value) in bad_headers() {
            let client = stock.client.with(header, &value);
            attack(&client, endpoint, &stock.path(endpoint), sample()).await;
        }
    }
    check_log(&mut app);
}

fn with_bodies() -> impl Iterator<Item = &'static Endpoint> {
    ENDPOINTS
        .iter()
        .filter(|endpoint| !endpoint.sample.is_empty())
}

fn bad_paths(endpoint: &Endpoint) -> Vec<String> {
    const IDS: [&str; 10] = [
        "x",
        "%00",
        "%ff",
        "..",
        "%2e%2e%2f",
        "%F0%9F%98%80",
        "{}",
        "ffffffff-ffff-4fff-bfff-fffffffffff",
        "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF",
        "ffffffff-ffff-4fff-bfff-ffffffffffff/x/y",
    ];
    if !endpoint.has_id() {
        return vec![
            format!("{}/x", endpoint.path),
            format!("{}/%00/", endpoint.path),
        ];
    }
    let path = endpoint.long_path();
    let with = |id: &str| {
        let (before, after) = path.split_once('{').unwrap();
        format!("{before}{id}{}", after.split_once('}').unwrap().1)
    };
    let long = "a".repeat(5_000);
    IDS.iter()
        .copied()
        .chain([long.as_str()])
        .map(with)
        .collect()
}

fn bad_queries(endpoint: &Endpoint) -> Vec<String> {
    const NAMES: [&str; 22] = [
        "active",
        "async",
        "description",
        "email",
        "end",
        "event",
        "hardDelete",
        "inactive",
        "loginId",
        "message",
        "name",
        "numberOfResults",
        "orderBy",
        "preventingLogin",
        "reactivate",
        "start",
        "startRow",
        "tenantId",
        "url",
        "userActionId",
        "userId",
        "username",
    ];
    const VALUES: [&str; 8] = [
        "",
        "%00",
        "%ff%fe",
        "-1",
        "99999999999999999999",
        "x%20ASC,,%2A",
        "*%2A*%5B",
        "%F0%9F%98%80",
    ];
    let mut queries: Vec<String> = VALUES
        .iter()
        .map(|value| NAMES.map(|name| format!("{name}={value}")).join("&"))
        .collect();
    if endpoint.method != "GET" {
        return queries;
    }
    // One at a time, so that none hides behind another's refusal.
    let alone = |name: &str| ["%00", "x"].map(|value| format!("{name}={value}"));
    queries.extend(NAMES.iter().flat_map(|name| alone(name)));
    queries.extend(["&&==&%", "%", "userId", "=x"].map(str::to_owned));
    queries.push(format!("name={}", "%2A".repeat(2_000)));
    queries
}

fn bad_headers() -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("idempotency-key", String::new()),
        ("idempotency-key", "k".repeat(5_000)),
        ("content-encoding", "gzip".to_owned()),
        ("accept", "text/html".to_owned()),
        ("x-forwarded-for", ", ,not an address".to_owned()),
        ("user-agent", "u".repeat(20_000)),
    ];
    for header in ["authorization", "x-fusionauth-tenantid"] {
        let values = [
            "",
            "x",
            "Bearer",
            "é",
            "ffffffff-ffff-4fff-bfff-ffffffffffff",
        ];
        headers.extend(values.map(|value| (header, value.to_owned())));
    }
    headers
}

/// Sends it, and checks that the answer is one that a client can live with.
async fn attack(client: &Client, endpoint: &Endpoint, path: &str, (what, body): Body) -> Reply {
    let method: Method = endpoint.method.parse().unwrap();
    let call = format!("{method} {path}: {what}");
    let body = (!endpoint.sample.is_empty()).then_some(body);
    let sent = client.try_send(method, path, body).await;
    let reply = sent.unwrap_or_else(|error| panic!("{call}: no answer: {error:#}"));
    if let Err(reason) = judge(&reply) {
        panic!("{call}: {reason}: {} {}", reply.status, reply.text());
    }
    reply
}

fn judge(reply: &Reply) -> Result<(), String> {
    match reply.status {
        200 | 202 => Ok(()),
        401 | 404 | 405 | 410 | 423 if reply.body.is_empty() => Ok(()),
        400 | 413 | 422 => judge_errors(&reply.json()),
        409 if reply.text().contains("[retryableConflict]") => judge_errors(&reply.json()),
        _ => Err("not an answer to malformed input".to_owned()),
    }
}

fn judge_errors(body: &Value) -> Result<(), String> {
    let general = body["generalErrors"].as_array();
    let fields = body["fieldErrors"].as_object();
    let (Some(general), Some(fields)) = (general, fields) else {
        return Err("no errors object".to_owned());
    };
    for error in general {
        judge_error(error, GENERAL, "")?;
    }
    for (path, errors) in fields {
        let errors = errors.as_array().ok_or("not a list")?;
        for error in errors {
            judge_error(error, PREFIXES, path)?;
        }
    }
    match general.is_empty() && fields.is_empty() {
        true => Err("refused for no reason".to_owned()),
        false => Ok(()),
    }
}

/// Codes that concern a request as a whole.
const GENERAL: &[&str] = &[
    "[missing]",
    "[invalidJSON]",
    "[JSONPatchTestFailed]",
    "[PatchNotSupported]",
    "[TenantIdRequired]",
    "[RequestTooLarge]",
    "[retryableConflict]",
    "[IdempotencyKeyReused]",
];

/// What a code that concerns a member begins with.
const PREFIXES: &[&str] = &[
    "[blank]",
    "[missing]",
    "[duplicate]",
    "[invalid]",
    "[couldNotConvert]",
    "[invalidJSON]",
    "[inUse]",
    "[tooLong]",
    "[tooShort]",
    "[tooMany]",
    "[empty]",
    "[notEmail]",
    "[notEqual]",
    "[doNotMatch]",
    "[mismatch]",
    "[inactive]",
    "[disabled]",
    "[notConfigured]",
    "[configured]",
    "[type]",
];

fn judge_error(error: &Value, known: &[&str], path: &str) -> Result<(), String> {
    let code = error["code"].as_str().unwrap_or_default();
    let fits = known.iter().any(|prefix| {
        code.strip_prefix(prefix)
            .is_some_and(|rest| rest == path || rest.is_empty() && *prefix == "[invalidJSON]")
    });
    match fits
        && error["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty())
    {
        true => Ok(()),
        false => Err(format!("an unknown code or no message: {error}")),
    }
}

/// A panic in a handler would have cut a connection, one elsewhere nobody would notice.
fn check_log(app: &mut TestApp) {
    let log = app.api().log();
    for sign in ["panicked at", " ERROR "] {
        let line = log.lines().find(|line| line.contains(sign));
        assert_eq!(line, None);
    }
}
