//! Promises of `/api/user/search`.

use serde_json::{Value, json};

use crate::test_support::{TestApp, both_databases};

both_databases!(
    names_are_searched_ignoring_case,
    users_are_found_by_ids,
    results_come_in_pages_and_in_order,
    odd_criteria_are_refused_or_passed_over,
);

const RITA: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const ROLF: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";

async fn crowd(app: &TestApp) {
    let users = [
        (
            RITA,
            json!({"email": "Rita@Example.com", "firstName": "Rita", "lastName": "Ärmel"}),
        ),
        (
            ROLF,
            json!({"username": "Rolf_1", "fullName": "Rolf Zacher"}),
        ),
        (
            "0c219e58-ed0e-4b18-ad48-f4f92793ae32",
            json!({"username": "anna", "email": "anna@example.com"}),
        ),
    ];
    for (id, mut user) in users {
        user["password"] = json!("password");
        app.advance(1);
        app.post(&format!("/api/user/{id}"), json!({ "user": user }))
            .await
            .ok();
    }
}

/// The names of the users that an answer holds.
fn names(answer: &Value) -> Vec<&str> {
    let name = |user: &'_ Value| -> &'static str {
        match user["id"].as_str().unwrap() {
            RITA => "rita",
            ROLF => "rolf",
            _ => "anna",
        }
    };
    answer["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect()
}

async fn names_are_searched_ignoring_case(app: &TestApp) {
    crowd(app).await;
    for (text, expected) in [
        ("*", &["rita", "rolf", "anna"][..]),
        ("EXAMPLE.com", &["rita", "anna"]),
        ("r*", &["rita", "rolf"]),
        ("ärmel", &["rita"]),
        ("*zacher", &["rolf"]),
        ("rolf_1", &["rolf"]),
        ("rolf?1", &[]),
        ("a%", &[]),
        ("zacher*", &[]),
        ("rita*zacher", &[]),
    ] {
        let body = json!({"search": {"queryString": text}});
        let found = app.post("/api/user/search", body).await.ok();
        assert_eq!(names(&found), expected, "{text}");
        assert_eq!(found["total"], json!(expected.len()), "{text}");
    }
    let found = app.get("/api/user/search?queryString=anna").await.ok();
    assert_eq!(names(&found), ["anna"]);
    assert_eq!(
        found["users"][0],
        app.get("/api/user?username=anna").await.ok()["user"]
    );
    app.patch(
        &format!("/api/user/{ROLF}"),
        json!({"user": {"fullName": "Rolf Hoppe"}}),
    )
    .await
    .ok();
    let found = app.get("/api/user/search?queryString=zacher").await.ok();
    assert_eq!(found, json!({"total": 0, "users": []}));
}

async fn users_are_found_by_ids(app: &TestApp) {
    crowd(app).await;
    let both = format!("/api/user/search?ids={RITA}&ids={ROLF}");
    assert_eq!(names(&app.get(&both).await.ok()), ["rita", "rolf"]);
    let one = format!("/api/user/search?ids={RITA}&queryString=undefined");
    assert_eq!(names(&app.get(&one).await.ok()), ["rita"]);
    let body = json!({"search": {"ids": [ROLF, null]}});
    let found = app.post("/api/user/search", body).await.ok();
    assert_eq!(names(&found), ["rolf"]);
}

async fn results_come_in_pages_and_in_order(app: &TestApp) {
    crowd(app).await;
    let second = "/api/user/search?numberOfResults=true&startRow=true";
    let found = app.get(second).await.ok();
    assert_eq!((names(&found), &found["total"]), (vec!["rolf"], &json!(3)));
    for (sort, expected) in [
        (
            json!([{"name": "email", "order": "desc"}]),
            ["rita", "anna", "rolf"],
        ),
        (json!([{"name": "username"}]), ["anna", "rolf", "rita"]),
        (
            json!([{"name": "registrations.applicationId"}, {"name": "insertInstant", "order": "DESC"}]),
            ["anna", "rolf", "rita"],
        ),
    ] {
        let body = json!({"search": {"sortFields": sort, "accurateTotal": true}});
        let found = app.post("/api/user/search", body).await.ok();
        assert_eq!(names(&found), expected, "{sort}");
    }
    let ordered = "/api/user/search?orderBy=fullName%20ASC,id%20desc";
    assert_eq!(
        names(&app.get(ordered).await.ok()),
        ["rolf", "rita", "anna"]
    );
}

async fn odd_criteria_are_refused_or_passed_over(app: &TestApp) {
    assert_eq!(
        app.post("/api/user/search", json!({})).await.codes(),
        ["[missing]search"]
    );
    let wrong = json!({"search": {
        "ids": ["x"], "query": "{}", "startRow": -1, "orderBy": "password", "queryString": 7,
    }});
    assert_eq!(
        app.post("/api/user/search", wrong).await.codes(),
        [
            "[invalidJSON] on search.ids[0]",
            "[invalid]search.orderBy",
            "[invalid]search.query",
            "[invalidJSON] on search.queryString",
            "[invalid]search.startRow",
        ]
    );
    let odd = json!({"search": {"sortFields": "email", "queryString": "undefined"}});
    assert_eq!(app.post("/api/user/search", odd).await.status, 200);
}
