//! Promises of `/api/tenant`.

use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::test::TestRequest;
use beadle_common::model::api_key::ApiKey;
use beadle_common::model::tenant::Tenant;
use serde_json::json;

use crate::test_support::{NOON, TestApp, api_key, both_databases};

both_databases!(
    a_tenant_is_created_and_changed,
    the_usual_way_to_switch_an_event_on,
    the_smtp_password_is_kept_and_never_shown,
    all_mistakes_are_reported_at_once,
    the_default_tenant_stays,
    a_locked_key_sees_its_own_tenant_only,
);

async fn a_tenant_is_created_and_changed(app: &TestApp) {
    let given = json!({"name": "Pied Piper", "issuer": "piedpiper.example", "data": {"a": 1}});
    let created = app
        .post("/api/tenant", json!({ "tenant": given }))
        .await
        .ok();
    let id = created["tenant"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        created["tenant"],
        json!({
            "configured": true, "data": {"a": 1}, "emailConfiguration": {"additionalHeaders": [], "debug": false},
            "eventConfiguration": {"events": {}}, "id": id, "insertInstant": NOON, "issuer": "piedpiper.example",
            "lastUpdateInstant": NOON, "name": "Pied Piper", "state": "Active",
        })
    );
    let path = format!("/api/tenant/{id}");
    assert_eq!(app.get(&path).await.ok(), created);
    app.advance(3);
    let replaced = app
        .put(&path, json!({"tenant": {"name": "Hooli"}}))
        .await
        .ok();
    assert_eq!(replaced["tenant"]["data"], json!({}));
    assert!(replaced["tenant"].get("issuer").is_none());
    let list = app.get("/api/tenant").await.ok();
    let names: Vec<_> = list["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tenant| tenant["name"].clone())
        .collect();
    assert_eq!(names, ["Default", "Hooli"]);
    assert_eq!(app.delete(&path).await.status, 200);
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.patch(&path, json!({})).await.status, 404);
}

async fn the_usual_way_to_switch_an_event_on(app: &TestApp) {
    let path = format!("/api/tenant/{}", app.tenant);
    let patch = |events| json!({"tenant": {"eventConfiguration": {"events": events}}});
    let on = json!({"user.action": {"transactionType": "Any"}, "user.create.complete": {"enabled": true, "transactionType": "Any"}});
    let patched = app.patch(&path, patch(on)).await.ok();
    assert_eq!(
        patched["tenant"]["eventConfiguration"],
        json!({"events": {
            "user.action": {"enabled": true, "transactionType": "Any"},
            "user.create.complete": {"enabled": true, "transactionType": "None"},
        }})
    );
    let odd = json!({"user.actions": {"enabled": true}, "kickstart.success": {"enabled": true}});
    assert_eq!(
        app.patch(&path, patch(odd)).await.codes(),
        ["[invalidJSON] on tenant.eventConfiguration.events"]
    );
}

async fn the_smtp_password_is_kept_and_never_shown(app: &TestApp) {
    let path = format!("/api/tenant/{}", app.tenant);
    let email = json!({"host": "mail.example", "username": "u", "password": "hunter22", "custom": [1], "rateLimit": 20});
    let patch = json!({"tenant": {"emailConfiguration": email}});
    let patched = app.patch(&path, patch).await.ok();
    let shown = json!({
        "additionalHeaders": [], "custom": [1], "debug": false, "host": "mail.example", "port": 25,
        "rateLimit": 20, "security": "NONE", "username": "u",
    });
    assert_eq!(patched["tenant"]["emailConfiguration"], shown);
    let stored = || async {
        let id = app.tenant;
        let tenant = app
            .state
            .read(move |connection| Ok(Tenant::find(connection, id)?))
            .await
            .unwrap()
            .unwrap();
        beadle_common::resources::tenants::smtp_password(&app.state.sealer, &tenant).unwrap()
    };
    assert_eq!(stored().await.as_deref(), Some("hunter22"));
    app.patch(
        &path,
        json!({"tenant": {"emailConfiguration": {"security": "TLS"}}}),
    )
    .await
    .ok();
    assert_eq!(stored().await.as_deref(), Some("hunter22"));
    let mut again = shown;
    again["security"] = json!("TLS");
    app.put(
        &path,
        json!({"tenant": {"name": "Default", "emailConfiguration": again}}),
    )
    .await
    .ok();
    assert_eq!(stored().await.as_deref(), Some("hunter22"));
    app.patch(
        &path,
        json!({"tenant": {"emailConfiguration": {"password": null}}}),
    )
    .await
    .ok();
    assert_eq!(stored().await, None);
}

async fn all_mistakes_are_reported_at_once(app: &TestApp) {
    let wrong = json!({"tenant": {
        "name": "DEFAULT", "data": 7,
        "emailConfiguration": {
            "port": 70_000, "rateLimit": 0, "security": "tls", "defaultFromEmail": "me",
            "dkim": {"domain": "a b", "keyId": "7f1c2d3e-0000-4000-8000-000000000000"},
            "listUnsubscribe": "http://a.example/{{user.id}}",
            "additionalHeaders": [{"name": "X-A\r\nBcc", "value": "a\nb"}],
        },
        "eventConfiguration": {"events": {"user.action": {"enabled": "yes", "transactionType": "Most"}}},
    }});
    assert_eq!(
        app.post(&format!("/api/tenant/{}", app.tenant), wrong)
            .await
            .codes(),
        [
            "[invalidJSON] on tenant.data",
            "[invalid]tenant.emailConfiguration.additionalHeaders[0].name",
            "[invalid]tenant.emailConfiguration.additionalHeaders[0].value",
            "[notEmail]tenant.emailConfiguration.defaultFromEmail",
            "[invalid]tenant.emailConfiguration.dkim.domain",
            "[invalid]tenant.emailConfiguration.dkim.keyId",
            "[blank]tenant.emailConfiguration.dkim.selector",
            "[invalid]tenant.emailConfiguration.listUnsubscribe",
            "[invalid]tenant.emailConfiguration.port",
            "[invalid]tenant.emailConfiguration.rateLimit",
            "[invalidJSON] on tenant.emailConfiguration.security",
            "[invalidJSON] on tenant.eventConfiguration.events.user.action.enabled",
            "[invalidJSON] on tenant.eventConfiguration.events.user.action.transactionType",
            "[duplicate]tenantId",
        ]
    );
    let named = json!({"tenant": {"name": "DEFAULT"}});
    assert_eq!(
        app.post("/api/tenant", named).await.codes(),
        ["[duplicate]tenant.name"]
    );
    assert_eq!(
        app.post("/api/tenant", json!({"tenant": {}})).await.codes(),
        ["[blank]tenant.name"]
    );
}

async fn the_default_tenant_stays(app: &TestApp) {
    let path = format!("/api/tenant/{}", app.tenant);
    assert_eq!(app.delete(&path).await.codes(), ["[invalid]tenantId"]);
    let other = app.add_tenant("Other").await;
    assert_eq!(
        app.delete(&format!("/api/tenant/{other}?async=true"))
            .await
            .status,
        202
    );
}

async fn a_locked_key_sees_its_own_tenant_only(app: &TestApp) {
    let other = app.add_tenant("Other").await;
    app.add_key(ApiKey {
        tenant_id: Some(other),
        ..api_key("locked")
    })
    .await;
    let call = |method: Method, path: String| {
        app.send(
            TestRequest::with_uri(&path)
                .method(method)
                .insert_header((AUTHORIZATION, "locked")),
        )
    };
    let list = call(Method::GET, "/api/tenant".into()).await.ok();
    assert_eq!(list["tenants"][0]["id"], json!(other));
    assert_eq!(list["tenants"].as_array().unwrap().len(), 1);
    assert_eq!(
        call(Method::GET, format!("/api/tenant/{other}"))
            .await
            .status,
        200
    );
    assert_eq!(
        call(Method::GET, format!("/api/tenant/{}", app.tenant))
            .await
            .status,
        401
    );
    assert_eq!(call(Method::POST, "/api/tenant".into()).await.status, 401);
}
