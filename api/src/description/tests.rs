//! Promises about the description.

use std::collections::BTreeSet;

use actix_web::test::TestRequest;
use serde_json::Value;

use super::event;
use super::openapi::document;
use super::page::Page;
use crate::app;
use crate::test_support::{TestApp, both_databases};

both_databases!(anybody_may_read_the_description);

/// After a change that is meant: `beadle-api openapi > docs/openapi.json`
#[test]
fn the_description_in_the_repository_is_that_of_the_code() {
    let stored: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let (stored, made) = (
        format!("{stored:#}"),
        format!("{:#}", document(&crate::app::sections())),
    );
    let difference = stored
        .lines()
        .zip(made.lines())
        .find(|(stored, made)| stored != made);
    assert_eq!(
        difference, None,
        "write it anew: beadle-api openapi > docs/openapi.json"
    );
    assert_eq!(stored.len(), made.len());
}

#[test]
fn every_method_of_every_route_is_described() {
    for section in app::sections() {
        for routes in &section.routes {
            for described in &routes.methods {
                let method = &described.method;
                assert!(
                    !described.operations.is_empty(),
                    "{method} {:?}",
                    routes.paths
                );
            }
        }
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let document = document(&crate::app::sections());
    let mut ids = BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} is there twice");
        }
    }
}

#[test]
fn what_is_referred_to_is_there() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let pointer = target.strip_prefix('#').unwrap();
                    let found = document.pointer(pointer);
                    assert!(found.is_some_and(Value::is_object), "{target}");
                }
                members.values().for_each(|value| check(document, value));
            }
            Value::Array(values) => values.iter().for_each(|value| check(document, value)),
            _ => {}
        }
    }
    for document in [document(&crate::app::sections()), event::schema()] {
        check(&document, &document);
    }
}

/// What stands between `begin` and the next quotation mark, wherever there is one.
fn attributes<'a>(html: &'a str, begin: &str) -> Vec<&'a str> {
    html.split(begin)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn the_page_leads_nowhere_else_and_all_its_links_lead_somewhere() {
    let Page { html, .. } = Page::of(&document(&crate::app::sections()));
    let ids = attributes(&html, " id=\"");
    let unique: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    for link in attributes(&html, "href=\"") {
        match link.strip_prefix('#') {
            Some(id) => assert!(unique.contains(id), "{link}"),
            None => assert!(
                ["/openapi.json", "/schemas/user.action.json"].contains(&link),
                "{link}"
            ),
        }
    }
    for foreign in ["src=", "<script", "@import", "url(", "style=\""] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}

async fn anybody_may_read_the_description(app: &TestApp) {
    let served = app.send(TestRequest::with_uri("/openapi.json")).await;
    assert_eq!(
        (served.status, served.body),
        (200, document(&crate::app::sections()))
    );
    let schema = app
        .send(TestRequest::with_uri("/schemas/user.action.json"))
        .await;
    assert_eq!((schema.status, schema.body), (200, event::schema()));
    let changed = app.send(TestRequest::post().uri("/openapi.json")).await;
    assert_eq!(changed.status, 405);
}

#[test]
fn nothing_is_made_before_it_is_asked_for() {
    let _ = super::Description::of(|| panic!("it takes megabytes that most servers never need"));
}
