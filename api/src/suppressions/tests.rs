//! Promises of `/api/email/suppression`.

use beadle_common::id::{DeliveryId, TenantId};
use beadle_common::model::suppression::Suppression;
use beadle_common::unix_millis::UnixMillis;
use serde_json::json;

use crate::error::ApiError;
use crate::test_support::{NOON, TestApp, both_databases};

const PATH: &str = "/api/email/suppression";

both_databases!(
    what_is_suppressed_is_listed_in_pages,
    a_suppression_is_lifted_by_its_address,
    a_suppression_goes_with_its_user,
);

async fn suppress(app: &TestApp, tenant: TenantId, addresses: &'static [&'static str]) {
    let added = app.state.write(move |connection| {
        for (index, address) in (0..).zip(addresses) {
            let suppression = Suppression {
                tenant_id: tenant,
                address_normalized: address.to_lowercase(),
                address: (*address).to_owned(),
                delivery_id: DeliveryId::sequential(),
                status_code: Some(550),
                reason: "550 5.1.1 no such user".to_owned(),
                insert_instant: UnixMillis::from_millis(NOON + index),
                expiration_instant: UnixMillis::from_millis(i64::MAX),
            };
            suppression.put(connection)?;
        }
        Ok::<_, ApiError>(())
    });
    added.await.unwrap();
}

async fn listed(app: &TestApp, query: &str) -> (i64, Vec<String>) {
    let answer = app.get(&format!("{PATH}{query}")).await.ok();
    let addresses = answer["suppressions"].as_array().unwrap().iter();
    let addresses = addresses.map(|entry| entry["address"].as_str().unwrap().to_owned());
    (answer["total"].as_i64().unwrap(), addresses.collect())
}

async fn what_is_suppressed_is_listed_in_pages(app: &TestApp) {
    assert_eq!(
        app.get(PATH).await.ok(),
        json!({"suppressions": [], "total": 0})
    );
    suppress(
        app,
        app.tenant,
        &["a@b.example", "B@b.example", "c@b.example"],
    )
    .await;
    let newest = app.get(&format!("{PATH}?numberOfResults=1")).await.ok();
    let entry = &newest["suppressions"][0];
    assert_eq!(newest["total"], 3);
    assert_eq!(entry["address"], "c@b.example");
    assert_eq!(entry["reason"], "550 5.1.1 no such user");
    assert_eq!(
        (&entry["statusCode"], &entry["insertInstant"]),
        (&json!(550), &json!(NOON + 2))
    );
    assert_eq!(entry["tenantId"], json!(app.tenant));
    let rest = vec!["B@b.example".to_owned(), "a@b.example".to_owned()];
    assert_eq!(
        listed(app, "?startRow=1&numberOfResults=5").await,
        (3, rest)
    );
    assert_eq!(
        app.get(&format!("{PATH}?startRow=-1")).await.codes(),
        ["[invalid]startRow"]
    );
}

async fn a_suppression_is_lifted_by_its_address(app: &TestApp) {
    suppress(app, app.tenant, &["a+tag@b.example", "rené@b.example"]).await;
    assert_eq!(app.delete(&format!("{PATH}/c@b.example")).await.status, 404);
    for odd in ["x", "a@b%00"] {
        let codes = app.delete(&format!("{PATH}/{odd}")).await.codes();
        assert_eq!(codes, ["[couldNotConvert]address"], "{odd}");
    }
    assert_eq!(app.delete(PATH).await.codes(), ["[missing]address"]);
    let found = app.get(&format!("{PATH}/a%2Btag@b.example")).await.ok();
    assert_eq!(found["suppression"]["address"], "a+tag@b.example");
    assert_eq!(app.get(&format!("{PATH}/c@b.example")).await.status, 404);
    app.delete(&format!("{PATH}/A+Tag@b.example")).await.ok();
    app.delete(&format!("{PATH}/ren%C3%A9%40b.example"))
        .await
        .ok();
    assert_eq!(listed(app, "").await, (0, Vec::new()));
    assert_eq!(
        app.delete(&format!("{PATH}/a+tag@b.example")).await.status,
        404
    );
}

async fn a_suppression_goes_with_its_user(app: &TestApp) {
    let user = json!({"user": {"email": "gone@b.example", "password": "password"}});
    let user = app.post("/api/user", user).await.ok();
    let id = user["user"]["id"].as_str().unwrap();
    suppress(app, app.tenant, &["gone@b.example"]).await;
    app.delete(&format!("/api/user/{id}?hardDelete=true"))
        .await
        .ok();
    assert_eq!(listed(app, "").await.0, 0);
}
