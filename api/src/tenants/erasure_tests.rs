//! Promises of what is erased: with a user, and with a tenant and all its users. Not a byte of
//! it is left in the database, however far what told of them was on its way.

use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::test::TestRequest;
use beadle_common::db::AnyConnection;
use beadle_common::erasure::Erasure;
use beadle_common::id::{DeliveryId, TenantId};
use beadle_common::model::api_key::ApiKey;
use beadle_common::model::suppression::Suppression;
use beadle_common::outbox::{
    AttemptRecord, AttemptResult, ClaimRequest, Claimed, DeliveryState, Destinations, Disposition,
    Kind, Settlement, claim,
};
use beadle_common::settlement::{DestinationPolicy, settle};
use beadle_common::test_support::{everything, holds};
use beadle_common::unix_millis::UnixMillis;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::test_support::{Answered, KEY, NOON, TestApp, api_key, both_databases};

both_databases!(
    a_user_who_is_erased_is_nowhere_in_the_database,
    a_tenant_that_is_erased_is_nowhere_in_the_database,
    a_tenant_is_gone_before_its_last_row_is,
    another_process_carries_an_erasure_on,
);

/// It stands in everything that is known of a user, or said about them or to them.
const SECRET: &str = "zq7f3a";
const ADMIN: &str = "9af67e9a-8332-4c06-971c-463b6710c340";
const DEFINITION: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";
const APPLICATION: &str = "7b4c3c5e-6b0f-4a3e-8f0c-5a3f1b2c4d5e";

async fn send(
    app: &TestApp,
    tenant: TenantId,
    path: &str,
    key: Option<&str>,
    body: Value,
) -> Answered {
    let mut request = TestRequest::post()
        .uri(path)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header(("X-FusionAuth-TenantId", tenant.to_string()))
        .set_payload(body.to_string());
    if let Some(key) = key {
        request = request.insert_header(("Idempotency-Key", key));
    }
    app.send(request).await
}

/// What all tenants share: somebody who acts, a webhook, a template, a definition.
async fn world(app: &TestApp) {
    let admin = json!({"user": {"username": "admin", "password": "password"}});
    app.post(&format!("/api/user/{ADMIN}"), admin).await.ok();
    let webhook = json!({"webhook": {
        "url": "https://receiver.example/", "global": true, "connectTimeout": 1000,
        "readTimeout": 1000, "eventsEnabled": {"user.action": true},
    }});
    app.post("/api/webhook", webhook).await.ok();
    let template = json!({"emailTemplate": {
        "name": "Mail", "fromEmail": "news@example.com", "defaultSubject": "{{user.firstName}}",
        "defaultTextTemplate": "{{user.email}}", "defaultHtmlTemplate": "{{user.email}}",
    }});
    let template = app.post("/api/email/template", template).await.ok();
    let definition = json!({"userAction": {
        "name": "Ban", "temporal": true, "userEmailingEnabled": true,
        "startEmailTemplateId": template["emailTemplate"]["id"],
        "modifyEmailTemplateId": template["emailTemplate"]["id"],
    }});
    let path = format!("/api/user-action/{DEFINITION}");
    app.post(&path, definition).await.ok();
}

/// A user who has been through a lot.
async fn user(app: &TestApp, tenant: TenantId, name: &str) -> String {
    let user = json!({"user": {
        "email": format!("{name}.{SECRET}@users.example"), "username": format!("{name}-{SECRET}"),
        "password": "password", "firstName": SECRET, "lastName": SECRET, "fullName": SECRET,
        "mobilePhone": SECRET, "data": {"note": SECRET},
    }});
    let made = send(app, tenant, "/api/user", Some(name), user).await.ok();
    let id = made["user"]["id"].as_str().unwrap().to_owned();
    for number in 0..6 {
        let action = json!({"broadcast": true, "action": {
            "actioneeUserId": id, "actionerUserId": ADMIN, "userActionId": DEFINITION,
            "comment": SECRET, "emailUser": true, "expiry": NOON + 1_000_000,
        }});
        let key = format!("{name}-{number}");
        let path = "/api/user/action";
        let taken = send_all(app, path, &key, action).await.ok();
        let modified = json!({"broadcast": true, "action": {
            "actionerUserId": ADMIN, "comment": SECRET, "expiry": NOON + 2_000_000,
        }});
        let log = taken["action"]["id"].as_str().unwrap();
        app.put(&format!("{path}/{log}"), modified).await.ok();
    }
    let wrong = json!({"loginId": format!("{name}-{SECRET}"), "password": "guessed"});
    assert_eq!(
        send(app, tenant, "/api/login", None, wrong).await.status,
        404
    );
    id
}

/// Not limited to a tenant: who acts may be of another.
async fn send_all(app: &TestApp, path: &str, key: &str, body: Value) -> Answered {
    let request = TestRequest::post()
        .uri(path)
        .insert_header((AUTHORIZATION, KEY))
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header(("Idempotency-Key", key))
        .set_payload(body.to_string());
    app.send(request).await
}

async fn write<T: Send + 'static>(
    app: &TestApp,
    work: impl Fn(&mut AnyConnection) -> Result<T, ApiError> + Send + Sync + 'static,
) -> T {
    app.state.write(work).await.unwrap()
}

async fn claimed(app: &TestApp, kind: Kind, rows: usize) -> Vec<Claimed> {
    let now = UnixMillis::from_millis(NOON);
    let request = ClaimRequest {
        kind,
        now,
        lease_end: now.plus(Duration::from_secs(60)),
        owner: "test".to_owned(),
        limit: rows,
        per_destination: rows,
        destinations: Destinations::default(),
    };
    let claimed = write(app, move |c| Ok(claim(c, &request)?)).await;
    assert_eq!(claimed.len(), rows);
    claimed
}

/// Ends leases; receivers and servers repeat what they were sent.
async fn settled(app: &TestApp, claimed: Vec<Claimed>, disposition: Disposition) {
    let now = UnixMillis::from_millis(NOON);
    let record = AttemptRecord {
        instant: now,
        duration_millis: 5,
        result: AttemptResult::Failure,
        status_code: Some(550),
        class: Some("smtp".to_owned()),
        message: Some(format!("550 <{SECRET}@users.example> is unknown")),
        response_excerpt: Some(SECRET.to_owned()),
    };
    let policy = DestinationPolicy {
        disable_after: None,
        mail: app.state.setup.clone(),
    };
    write(app, move |c| {
        let end =
            |claimed: &Claimed| Settlement::of(claimed, now, Some(record.clone()), disposition);
        let batch: Vec<Settlement> = claimed.iter().map(end).collect();
        assert_eq!(settle(c, &batch, &policy)?.rows, batch.len());
        Ok(())
    })
    .await;
}

/// Brings deliveries of each kind into each state, and returns those that are in hand.
async fn on_their_way(app: &TestApp) -> Vec<Claimed> {
    let mut in_hand = Vec::new();
    for kind in [Kind::Webhook, Kind::Email] {
        let retried = claimed(app, kind, 1).await;
        let at = UnixMillis::from_millis(NOON);
        settled(app, retried, Disposition::Retry { at }).await;
        for state in [
            DeliveryState::Delivered,
            DeliveryState::Exhausted,
            DeliveryState::Canceled,
        ] {
            let finished = claimed(app, kind, 1).await;
            settled(app, finished, Disposition::Finished(state)).await;
        }
        in_hand.extend(claimed(app, kind, 2).await);
    }
    in_hand
}

async fn suppress(app: &TestApp, tenant: TenantId, address: String, delivery_id: DeliveryId) {
    let suppression = Suppression {
        tenant_id: tenant,
        address_normalized: address.clone(),
        address,
        delivery_id,
        status_code: Some(550),
        reason: SECRET.to_owned(),
        insert_instant: UnixMillis::from_millis(NOON),
        expiration_instant: UnixMillis::NEVER,
    };
    write(app, move |c| Ok(suppression.put(c)?)).await;
}

fn found(app: &TestApp) -> bool {
    holds(&everything(&app.state.db), SECRET)
}

async fn a_user_who_is_erased_is_nowhere_in_the_database(app: &TestApp) {
    world(app).await;
    let id = user(app, app.tenant, "rita").await;
    let in_hand = on_their_way(app).await;
    let address = format!("rita.{SECRET}@users.example");
    suppress(app, app.tenant, address, DeliveryId::sequential()).await;
    // An address that the user had once.
    let former = format!("former.{SECRET}@users.example");
    suppress(app, app.tenant, former, in_hand.last().unwrap().id).await;
    assert!(found(app));
    app.delete(&format!("/api/user/{id}?hardDelete=true"))
        .await
        .ok_empty();
    assert!(
        !found(app),
        "before workers have settled what they had in hand"
    );
    let (half, rest) = in_hand.split_at(in_hand.len() / 2);
    settled(
        app,
        half.to_vec(),
        Disposition::Finished(DeliveryState::Delivered),
    )
    .await;
    let at = UnixMillis::from_millis(NOON);
    settled(app, rest.to_vec(), Disposition::Retry { at }).await;
    assert!(!found(app), "afterwards");
    let deliveries = app.get("/api/delivery/search").await.ok();
    assert_eq!(deliveries["total"], 18, "that they were made is on record");
}

async fn a_tenant_that_is_erased_is_nowhere_in_the_database(app: &TestApp) {
    world(app).await;
    let tenant = app.add_tenant(SECRET).await;
    let application = json!({"application": {"name": SECRET}});
    let path = format!("/api/application/{APPLICATION}");
    send(app, tenant, &path, None, application).await.ok();
    for name in ["rita", "rolf", "rosa"] {
        let id = user(app, tenant, name).await;
        let registration = json!({"registration": {
            "applicationId": APPLICATION, "username": SECRET, "data": {"a": SECRET},
        }});
        let path = format!("/api/user/registration/{id}");
        send(app, tenant, &path, None, registration).await.ok();
    }
    let in_hand = on_their_way(app).await;
    let address = format!("rita.{SECRET}@users.example");
    suppress(app, tenant, address, DeliveryId::sequential()).await;
    let key = ApiKey {
        tenant_id: Some(tenant),
        name: Some(SECRET.to_owned()),
        name_normalized: Some(SECRET.to_owned()),
        ..api_key("locked")
    };
    app.add_key(key).await;
    app.delete(&format!("/api/tenant/{tenant}"))
        .await
        .ok_empty();
    assert!(
        !found(app),
        "before workers have settled what they had in hand"
    );
    settled(
        app,
        in_hand,
        Disposition::Finished(DeliveryState::Exhausted),
    )
    .await;
    assert!(!found(app), "afterwards");
    let own = TestRequest::get()
        .uri("/api/user-action")
        .insert_header((AUTHORIZATION, "locked"));
    assert_eq!(app.send(own).await.status, 401);
    app.get(&format!("/api/user/{ADMIN}")).await.ok();
}

/// As it looks to others while batches are still to come.
async fn a_tenant_is_gone_before_its_last_row_is(app: &TestApp) {
    world(app).await;
    let tenant = app.add_tenant("Hooli").await;
    let id = user(app, tenant, "rita").await;
    begin(app, tenant).await;
    let path = format!("/api/tenant/{tenant}");
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.delete(&path).await.status, 404);
    for path in [
        format!("/api/user/{id}"),
        format!("/api/user?email=rita.{SECRET}@users.example"),
        format!("/api/user/action?userId={id}"),
    ] {
        assert_ne!(app.get(&path).await.status, 200, "{path}");
    }
    for (path, list) in [
        ("/api/user/search", "users"),
        ("/api/user/action/search", "actions"),
    ] {
        let found = app.get(path).await.ok()[list].to_string();
        assert!(!found.contains(&id), "{path}: {found}");
    }
    let action = json!({"action": {
        "actioneeUserId": id, "actionerUserId": ADMIN, "userActionId": DEFINITION,
        "expiry": NOON + 1_000_000,
    }});
    assert_eq!(
        app.post("/api/user/action", action).await.codes(),
        ["[invalid]action.actioneeUserId"]
    );
    // Its name is free again.
    app.post("/api/tenant", json!({"tenant": {"name": "Hooli"}}))
        .await
        .ok();
}

async fn begin(app: &TestApp, tenant: TenantId) {
    let now = UnixMillis::from_millis(NOON);
    write(app, move |c| {
        beadle_common::erasure::erase_tenant(c, tenant, now)?;
        Ok(())
    })
    .await;
}

async fn another_process_carries_an_erasure_on(app: &TestApp) {
    world(app).await;
    let tenant = app.add_tenant("Hooli").await;
    user(app, tenant, "rita").await;
    begin(app, tenant).await;
    assert!(found(app));
    let worker = beadle_worker::jobs::erasing::Erasing {
        db: app.state.db.clone(),
        clock: app.state.clock.clone(),
    };
    assert_eq!(worker.round().await.unwrap(), 1);
    assert_eq!(worker.round().await.unwrap(), 0);
    assert!(!found(app));
    assert!(write(app, |c| Ok(Erasure::under_way(c)?)).await.is_empty());
}
