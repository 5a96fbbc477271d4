//! JSON that is shaped to do harm, and patches that ask for what they may not see.

use actix_web::http::Method;
use serde_json::json;

use crate::test_support::{TestApp, both_databases, nested};

both_databases!(
    json_has_a_depth_whichever_way_it_comes,
    a_patch_cannot_exhaust_the_stack,
    a_patch_copies_no_more_than_a_document,
    members_with_names_of_the_parser_are_refused,
    no_text_with_a_nul_comes_in,
    a_patch_cannot_look_at_the_smtp_password,
    a_patch_cannot_store_an_api_key_in_the_clear,
    a_text_is_removed_by_any_spelling_of_its_locale,
);

const USER: &str = "/api/user/9af67e9a-8332-4c06-971c-463b6710c340";
const API_KEY: &str = "/api/api-key/7d4c3a44-0b1c-4a5e-9a58-2e0f0d6f3b77";
const REASON: &str = "/api/user-action-reason/6a3f8e2c-1b47-4a55-9f0e-2d7c0b9e4f31";

async fn rita(app: &TestApp) {
    let user = json!({"user": {"username": "rita", "password": "password"}});
    app.post(USER, user).await.ok();
}

async fn json_has_a_depth_whichever_way_it_comes(app: &TestApp) {
    rita(app).await;
    let data = |levels| json!({"user": {"data": {"a": nested(levels)}}});
    // The wrapper, the user and the data are three levels, an empty array is one.
    app.patch(USER, data(60)).await.ok();
    assert_eq!(app.patch(USER, data(61)).await.codes(), ["[invalidJSON]"]);
    let deep = data(61).to_string();
    for (method, media) in [
        (Method::POST, "application/json"),
        (Method::PUT, "application/json"),
        (Method::PATCH, "application/merge-patch+json"),
    ] {
        let answer = app.send_as(media, method, USER, deep.clone()).await;
        assert_eq!(answer.codes(), ["[invalidJSON]"]);
    }
    for operations in [
        json!([{"op": "add", "path": "/user/data/a/0/0", "value": nested(60)}]),
        json!([{"op": "replace", "path": "/user/data/a/0/0", "value": nested(60)}]),
        json!([{"op": "copy", "from": "/user/data/a", "path": "/user/data/a/0/0"}]),
        json!([
            {"op": "add", "path": "/user/data/b", "value": {}},
            {"op": "move", "from": "/user/data/a", "path": "/user/data/b/a"},
        ]),
    ] {
        let answer = app.json_patch(USER, operations).await;
        assert_eq!(answer.codes(), ["[invalidJSON]"]);
    }
    let kept = app.get(USER).await.ok();
    assert_eq!(kept["user"]["data"], data(60)["user"]["data"]);
}

async fn a_patch_cannot_exhaust_the_stack(app: &TestApp) {
    rita(app).await;
    let mut depth = 60;
    let mut operations =
        vec![json!({"op": "add", "path": "/user/data/a", "value": nested(depth - 1)})];
    while depth < 200_000 {
        let path = format!("/user/data/a{}", "/0".repeat(depth));
        operations.push(json!({"op": "copy", "from": "/user/data/a", "path": path}));
        depth *= 2;
    }
    let answer = app.json_patch(USER, operations.into()).await;
    assert_eq!(answer.codes(), ["[invalidJSON]"]);
    app.get(USER).await.ok();
}

async fn a_patch_copies_no_more_than_a_document(app: &TestApp) {
    rita(app).await;
    let large = json!({"user": {"data": {"a": vec![0; 400_000]}}});
    app.patch(USER, large).await.ok();
    let copy = json!({"op": "copy", "from": "/user/data/a", "path": "/user/data/b"});
    let answer = app.json_patch(USER, vec![copy; 499].into()).await;
    assert_eq!(answer.status, 413);
    // Nor does a document grow without end by what is appended to it.
    let more = json!({"user": {"data": {"a": vec![0; 400_000]}}});
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(app.patch(USER, more.clone()).await.status);
    }
    assert_eq!(statuses.last(), Some(&413), "{statuses:?}");
    // What is there can still be changed, and made smaller.
    app.patch(USER, json!({"user": {"firstName": "Rita"}}))
        .await
        .ok();
    app.patch(USER, json!({"user": {"data": {"a": null}}}))
        .await
        .ok();
}

async fn members_with_names_of_the_parser_are_refused(app: &TestApp) {
    rita(app).await;
    for name in ["Number", "RawValue"] {
        let name = format!("$serde_json::private::{name}");
        let body = json!({"user": {"data": {"a": [{&name: "1"}]}}});
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            let answer = app.call(method, USER, Some(body.clone())).await;
            assert_eq!(answer.codes(), ["[invalidJSON]"]);
        }
        let path = format!("/user/data/{name}");
        for operations in [
            json!([{"op": "add", "path": path, "value": "1"}]),
            json!([{"op": "add", "path": "/user/data", "value": {&name: "1"}}]),
            json!([{"op": "copy", "from": "/user/username", "path": path}]),
            json!([
                {"op": "add", "path": "/user/data/a", "value": "1"},
                {"op": "move", "from": "/user/data/a", "path": path},
            ]),
        ] {
            let answer = app.json_patch(USER, operations).await;
            assert_eq!(answer.codes(), ["[invalidJSON]"]);
        }
    }
    // As a text it says nothing to the parser.
    let text = json!({"user": {"data": {"a": "$serde_json::private::Number"}}});
    let kept = app.patch(USER, text.clone()).await.ok();
    assert_eq!(kept["user"]["data"], text["user"]["data"]);
}

async fn no_text_with_a_nul_comes_in(app: &TestApp) {
    rita(app).await;
    for user in [
        json!({"firstName": "a\0b"}),
        json!({"data": {"a": ["\0"]}}),
        json!({"data": {"a\0": 1}}),
        json!({"unknown": "\0"}),
    ] {
        let body = json!({ "user": user });
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            let answer = app.call(method, USER, Some(body.clone())).await;
            assert_eq!(answer.codes(), ["[invalidJSON]"]);
        }
    }
    let operations = json!([{"op": "add", "path": "/user/data/\0", "value": 1}]);
    let answer = app.json_patch(USER, operations).await;
    assert_eq!(answer.codes(), ["[invalidJSON]"]);
    let asked = app.get("/api/user/search?queryString=a%00").await;
    assert_eq!(asked.codes(), ["[couldNotConvert]queryString"]);
}

async fn a_patch_cannot_look_at_the_smtp_password(app: &TestApp) {
    let tenant = format!("/api/tenant/{}", app.tenant);
    let password = "/tenant/emailConfiguration/password";
    let email = json!({"host": "mail.example", "username": "u", "password": "hunter22"});
    let patch = json!({"tenant": {"emailConfiguration": email}});
    app.patch(&tenant, patch).await.ok();
    let guess = |guess: &str| json!([{"op": "test", "path": password, "value": guess}]);
    for guess in [guess("hunter22"), guess("hunter23")] {
        let answer = app.json_patch(&tenant, guess).await;
        assert_eq!(answer.codes(), ["[JSONPatchTestFailed]"]);
    }
    for op in ["copy", "move"] {
        for path in [
            "/tenant/data/x",
            "/tenant/emailConfiguration/x",
            "/tenant/x",
        ] {
            let operations = json!([{"op": op, "from": password, "path": path}]);
            let answer = app.json_patch(&tenant, operations).await;
            assert!(!answer.body.to_string().contains("hunter22"), "{op} {path}");
            app.patch(&tenant, json!({"tenant": {"data": {"x": null}}}))
                .await
                .ok();
        }
    }
    let whole =
        json!([{"op": "copy", "from": "/tenant/emailConfiguration", "path": "/tenant/data/x"}]);
    let answer = app.json_patch(&tenant, whole).await.ok();
    assert!(!answer.to_string().contains("hunter22"), "{answer}");
}

async fn a_patch_cannot_store_an_api_key_in_the_clear(app: &TestApp) {
    let made = app
        .post(API_KEY, json!({"apiKey": {"name": "Support"}}))
        .await
        .ok();
    assert!(made["apiKey"]["key"].is_string());
    for op in ["copy", "move"] {
        let path = "/apiKey/metaData/attributes/x";
        let operations = json!([{"op": op, "from": "/apiKey/key", "path": path}]);
        let answer = app.json_patch(API_KEY, operations).await;
        assert_eq!(answer.codes(), ["[invalidJSON]"]);
    }
    app.patch(API_KEY, json!({"apiKey": {"name": "Help"}}))
        .await
        .ok();
    let now = app.get(API_KEY).await.ok();
    assert_eq!(now["apiKey"]["key"], made["apiKey"]["key"]);
}

async fn a_text_is_removed_by_any_spelling_of_its_locale(app: &TestApp) {
    for media in ["application/json", "application/merge-patch+json"] {
        let texts = json!({"en_US": "Spam", "de": "Spam"});
        let reason =
            json!({"userActionReason": {"code": "S", "text": "Spam", "localizedTexts": texts}});
        app.post(REASON, reason).await.ok();
        let patch = json!({"userActionReason": {"localizedTexts": {"en-us": null}}});
        let patched = app
            .send_as(media, Method::PATCH, REASON, patch.to_string())
            .await;
        assert_eq!(
            patched.ok()["userActionReason"]["localizedTexts"],
            json!({"de": "Spam"})
        );
        app.delete(REASON).await.ok_empty();
    }
}
