//! `docs/api.md` and the list of endpoints say the same, and the server does what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use beadle_tests::{TestApp, TestDatabase};
use hyper::Method;

use crate::endpoints::{ENDPOINTS, Endpoint, Key, Stock};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

beadle_tests::on_backend!(sqlite Sqlite:
    the_server_has_the_endpoints_of_the_list_and_no_other_methods,
    a_key_is_asked_for_where_the_list_says_so,
);

/// One row for each endpoint, in the order of the list.
fn row(endpoint: &Endpoint) -> String {
    let Endpoint {
        method,
        path,
        answers,
        ..
    } = endpoint;
    let key = match endpoint.key {
        Key::Needed => "yes",
        Key::Manager => "of a manager",
        Key::Usually => "unless the application says otherwise",
        Key::None => "no",
    };
    format!("| `{method}` | `{path}` | {key} | {answers} |")
}

#[test]
fn the_documentation_has_a_row_for_each_endpoint() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let text = fs::read_to_string(&file).unwrap();
    let rows = |text: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        let rows = rows.filter(|line| {
            METHODS
                .iter()
                .any(|name| line.starts_with(&format!("| `{name}`")))
        });
        rows.map(str::to_owned).collect()
    };
    let expected: Vec<String> = ENDPOINTS.iter().map(row).collect();
    assert!(
        rows(&text) == expected,
        "the table in {} should be\n\n{}\n",
        file.display(),
        expected.join("\n")
    );
}

/// What stands before the Id at the end of a path: one resource, with and without it.
fn resource(path: &str) -> &str {
    let path = path.trim_end_matches(']');
    match path.rsplit_once("/{") {
        // Below an object, there is nothing without the Id.
        Some((resource, rest)) if rest.ends_with('}') && !resource.contains('{') => {
            resource.trim_end_matches('[')
        }
        _ => path,
    }
}

/// With an Id that is none, so that nothing happens to anything.
fn concrete(path: &str) -> String {
    let mut parts = path.split(['{', '}']).enumerate();
    let part = |(place, text)| if place % 2 == 0 { text } else { "x" };
    parts.by_ref().map(part).collect()
}

async fn the_server_has_the_endpoints_of_the_list_and_no_other_methods(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let mut resources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for endpoint in ENDPOINTS {
        let listed = resources.entry(resource(endpoint.path)).or_default();
        listed.insert(endpoint.method);
        for path in [endpoint.short_path(), &endpoint.long_path()] {
            let (name, path) = (endpoint.method, concrete(path));
            let status = answer(&app, name, &path).await;
            assert!([200, 400].contains(&status), "{name} {path}: {status}");
        }
    }
    for (resource, listed) in resources {
        for name in METHODS.iter().filter(|name| !listed.contains(*name)) {
            let path = concrete(resource);
            assert_eq!(answer(&app, name, &path).await, 405, "{name} {path}");
        }
    }
}

async fn answer(app: &TestApp, method: &str, path: &str) -> u16 {
    let method: Method = method.parse().unwrap();
    app.client.send(method, path, None).await.status
}

async fn a_key_is_asked_for_where_the_list_says_so(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let stock = Stock::create(&app.client).await;
    let stranger = stock.client.without_key();
    for endpoint in ENDPOINTS {
        let method: Method = endpoint.method.parse().unwrap();
        let body = serde_json::from_str(&stock.sample(endpoint)).ok();
        let path = stock.path(endpoint);
        let status = stranger.send(method, &path, body.as_ref()).await.status;
        let asked = status == 401;
        assert_eq!(asked, endpoint.key != Key::None, "{endpoint:?}: {status}");
    }
}
