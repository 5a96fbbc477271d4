//! Promises of all searches and lists at once, and of what surrounds them.

use std::sync::mpsc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS};
use actix_web::test::{TestRequest, call_service, init_service};
use beadle_common::db::AnyConnection;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::app::sections;
use crate::description::{Body, Kind, Search};
use crate::error::ApiError;
use crate::test_support::{KEY, TestApp, both_databases};

both_databases!(
    results_are_ordered_by_any_field_and_by_none_twice,
    a_text_to_look_for_is_short,
    a_list_that_is_sent_in_pieces_is_whole_and_in_order,
    slow_searches_leave_connections_to_others,
    every_answer_is_what_it_says_it_is,
    methods_are_refused_before_keys,
);

/// Every search there is, by its path.
fn searches() -> Vec<(String, &'static Search)> {
    let routes = sections().into_iter().flat_map(|section| section.routes);
    let search = |operation: &crate::description::Operation| match operation.body {
        Body::Search(search) if !search.order.is_empty() => Some(search),
        _ => None,
    };
    routes
        .filter_map(|routes| {
            let operations = routes.methods.iter().flat_map(|method| method.operations);
            let found = operations.filter_map(search).next()?;
            Some((routes.paths.first()?.clone(), found))
        })
        .collect()
}

async fn results_are_ordered_by_any_field_and_by_none_twice(app: &TestApp) {
    let searches = searches();
    assert_eq!(searches.len(), 10);
    for (path, search) in searches {
        for direction in ["ASC", "DESC"] {
            let each = search
                .order
                .iter()
                .map(|field| format!("{field} {direction}"));
            let order = each.collect::<Vec<_>>().join(", ");
            let found = app.post(&path, json!({"search": {"orderBy": order}})).await;
            assert_eq!(found.status, 200, "{path}: {order}");
        }
        let field = search.order[0];
        for order in [format!("{field},{field}"), vec![field; 34].join(",")] {
            let refused = app.post(&path, json!({"search": {"orderBy": order}})).await;
            assert_eq!(refused.codes(), ["[invalid]search.orderBy"], "{path}");
        }
        let refused = app
            .get(&format!("{path}?orderBy={field}%20ASC,{field}%20DESC"))
            .await;
        assert_eq!(refused.codes(), ["[invalid]orderBy"], "{path}");
    }
    let sort = |name: &str| json!({"name": name, "order": "asc"});
    let sorts = [
        sort("id"),
        sort("email"),
        sort("id"),
        sort("unknown"),
        sort("unknown"),
    ];
    let refused = app
        .post("/api/user/search", json!({"search": {"sortFields": sorts}}))
        .await;
    assert_eq!(refused.codes(), ["[duplicate]search.sortFields[2].name"]);
}

async fn a_text_to_look_for_is_short(app: &TestApp) {
    let mut tried = 0;
    for (path, search) in searches() {
        for criterion in search.criteria {
            // What has to be one of some words is no text to look for.
            if !matches!(criterion.kind, Kind::Text) || criterion.name == "eventType" {
                continue;
            }
            tried += 1;
            let longest = "*".repeat(256);
            let body = |text: &str| json!({"search": {criterion.name: text}});
            let found = app.post(&path, body(&longest)).await;
            assert_eq!(found.status, 200, "{path}: {}", criterion.name);
            let codes = app.post(&path, body(&format!("{longest}*"))).await.codes();
            assert_eq!(
                codes,
                [format!("[tooLong]search.{}", criterion.name)],
                "{path}"
            );
        }
    }
    assert!(tried >= 11, "{tried}");
}

async fn a_list_that_is_sent_in_pieces_is_whole_and_in_order(app: &TestApp) {
    // Sizes differ, so that pieces end within what was loaded at once.
    for number in 0..30 {
        let data = json!({"text": "x".repeat(1000 + 7_000 * (number % 23)), "nested": [{"": 0}]});
        let user = json!({"user": {"username": format!("u{number:02}"), "password": "password", "data": data}});
        app.post("/api/user", user).await.ok();
        let data = json!({"text": "y".repeat(100_000)});
        let application = json!({"application": {"name": format!("A{number:02}"), "data": data}});
        app.post("/api/application", application).await.ok();
    }
    let found = app
        .get("/api/user/search?orderBy=username&numberOfResults=1000")
        .await
        .ok();
    assert_eq!(found["total"], 30);
    let users = found["users"].as_array().unwrap();
    let names: Vec<&str> = users
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (0..30).map(|number| format!("u{number:02}")).collect();
    assert_eq!(names, expected);
    let one = app
        .get(&format!("/api/user/{}", users[7]["id"].as_str().unwrap()))
        .await
        .ok();
    assert_eq!(one["user"], users[7]);
    let found = app.get("/api/application").await.ok();
    let applications = found["applications"].as_array().unwrap();
    let names: Vec<&Value> = applications.iter().map(|one| &one["name"]).collect();
    let expected: Vec<String> = (0..30).map(|number| format!("A{number:02}")).collect();
    assert_eq!(names, expected.iter().collect::<Vec<_>>());
}

/// Searches that run until they are told to end, as many as there may be.
async fn occupy(app: &TestApp) -> Vec<mpsc::Sender<()>> {
    let count = app.state.db.connections().limit / 2;
    let mut ends = Vec::new();
    for _ in 0..count {
        let (end, wait) = mpsc::channel::<()>();
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        let state = app.state.clone();
        let search = actix_web::rt::spawn(async move {
            let slow = move |_: &mut AnyConnection| {
                let _ = begun.send(());
                let _ = wait.recv();
                Ok::<_, ApiError>(())
            };
            state.searches.search(&state.db, slow).await
        });
        is_begun.await.unwrap();
        // Its caller hangs up, and it goes on.
        search.abort();
        ends.push(end);
    }
    ends
}

async fn slow_searches_leave_connections_to_others(app: &TestApp) {
    let ends = occupy(app).await;
    let unknown = "/api/user/9af67e9a-8332-4c06-971c-463b6710c340";
    assert_eq!(app.get(unknown).await.status, 404);
    let reason = json!({"userActionReason": {"code": "A", "text": "A"}});
    app.post("/api/user-action-reason", reason).await.ok();
    for path in ["/api/user/search", "/api/tenant", "/api/email/suppression"] {
        let waiting = timeout(Duration::from_millis(200), app.get(path)).await;
        assert!(waiting.is_err(), "{path} did not wait");
    }
    let refused = app.get("/api/user/search").await;
    assert_eq!(refused.status, 503);
    drop(ends);
    app.get("/api/user/search").await.ok();
}

async fn every_answer_is_what_it_says_it_is(app: &TestApp) {
    let service = init_service(crate::app::app(app.state.clone(), app.batcher.clone())).await;
    for (method, path, status) in [
        (Method::GET, "/api/tenant", 200),
        (Method::GET, "/docs", 200),
        (Method::GET, "/openapi.json", 200),
        (Method::GET, "/.well-known/jwks.json", 200),
        (Method::GET, "/metrics", 200),
        (Method::GET, "/api/user/search?startRow=x", 400),
        (Method::GET, "/nothing", 404),
        (Method::POST, "/api/status", 405),
        (Method::from_bytes(b"BREW").unwrap(), "/api/status", 501),
    ] {
        let request = TestRequest::with_uri(path).method(method);
        let request = request.insert_header((AUTHORIZATION, KEY)).to_request();
        let response = call_service(&service, request).await;
        assert_eq!(response.status(), status, "{path}");
        let options = response.headers().get(X_CONTENT_TYPE_OPTIONS);
        assert_eq!(
            options.map(|value| value.as_bytes()),
            Some(&b"nosniff"[..]),
            "{path}"
        );
    }
}

async fn methods_are_refused_before_keys(app: &TestApp) {
    let id = "9af67e9a-8332-4c06-971c-463b6710c340";
    for (method, path) in [
        (Method::POST, format!("/api/user/action/{id}")),
        (Method::POST, "/api/system/audit-log/5".to_owned()),
        (Method::PATCH, format!("/api/user/action/{id}")),
        (Method::HEAD, "/api/user/search".to_owned()),
        (Method::OPTIONS, "/api/user/search".to_owned()),
        (Method::DELETE, "/api/login".to_owned()),
    ] {
        let request = || TestRequest::with_uri(&path).method(method.clone());
        assert_eq!(app.send(request()).await.status, 405, "{method} {path}");
        let with_key = request().insert_header((AUTHORIZATION, KEY));
        let with_key = with_key.insert_header(("Idempotency-Key", "k"));
        assert_eq!(app.send(with_key).await.status, 405, "{method} {path}");
    }
    for path in [
        "/api/user/action",
        "/api/user/action/",
        "/api/system/audit-log",
    ] {
        let request = TestRequest::post()
            .uri(path)
            .insert_header((CONTENT_LENGTH, 0));
        assert_eq!(app.send(request).await.status, 401, "{path}");
    }
}
