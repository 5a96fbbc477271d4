//! Each change of the configuration raises its epoch, and what actions write does not.

use super::config_snapshot::api_key;
use super::*;
use crate::db::{Backend, ConfigEpoch};
use crate::erasure::erase_tenant;
use crate::id::{SigningKeyId, WebhookSecretId};
use crate::model::signing_key::SigningKeyRow;
use crate::model::webhook::{SecretKind, WebhookSecretRow};
use crate::schema::config_epoch;
use crate::sign::jws::Algorithm;
use crate::test_support::both_databases;

/// Whose rows are remembered, those that refer to others first.
const CONFIGURATION: [&str; 8] = [
    "webhook_secrets",
    "webhook_tenants",
    "webhooks",
    "signing_keys",
    "api_keys",
    "user_actions",
    "user_action_reasons",
    "tenants",
];

/// Whose rows are not. A table that stands in neither list has to be thought about.
const OTHERS: [&str; 20] = [
    "action_history",
    "action_logs",
    "applications",
    "attempts",
    "audit_logs",
    "config_epoch",
    "deliveries",
    "destination_states",
    "email_templates",
    "emails",
    "erasures",
    "event_logs",
    "events",
    "failed_logins",
    "idempotency_keys",
    "mail_limits",
    "outbox",
    "registrations",
    "suppressions",
    "users",
];

fn epoch(db: &Db) -> ConfigEpoch {
    write(db, ConfigEpoch::current)
}

fn must_raise(
    db: &Db,
    what: &str,
    change: impl FnOnce(&mut AnyConnection) -> QueryResult<()> + Send + 'static,
) {
    let before = epoch(db);
    write(db, change);
    assert!(epoch(db) > before, "{what}");
}

/// A row of each table.
fn each_row_that_is_made_must_raise_it(db: &Db) {
    let tenant = tenant("Mine");
    let of = tenant.id;
    must_raise(db, "a tenant", move |c| tenant.insert(c));
    must_raise(db, "a definition", |c| definition("Ban", true).insert(c));
    must_raise(db, "a reason", |c| reason().insert(c));
    let hook = webhook(false);
    let id = hook.id;
    must_raise(db, "a webhook", move |c| hook.insert(c));
    must_raise(db, "a tenant of it", move |c| {
        Webhook::set_tenants(c, id, &[of])
    });
    must_raise(db, "a secret", move |c| secret(id).insert(c));
    must_raise(db, "a signing key", |c| signing_key().insert(c));
    must_raise(db, "an API key", |c| api_key("a key").insert(c));
}

fn each_change_of_the_configuration_raises_it(db: &Db) {
    each_row_that_is_made_must_raise_it(db);
    for table in CONFIGURATION {
        let column = match table {
            "webhook_tenants" => "webhook_id",
            _ => "id",
        };
        must_raise(db, table, move |c| {
            let sql = format!("UPDATE {table} SET {column} = {column}");
            assert!(diesel::sql_query(sql).execute(c)? > 0);
            Ok(())
        });
    }
    for table in CONFIGURATION {
        must_raise(db, table, move |c| {
            let sql = format!("DELETE FROM {table}");
            assert!(diesel::sql_query(sql).execute(c)? > 0);
            Ok(())
        });
    }
    let truncates = db.backend() == Backend::Postgres;
    for table in CONFIGURATION.into_iter().filter(|_| truncates) {
        must_raise(db, table, move |c| {
            let sql = format!("TRUNCATE {table} CASCADE");
            diesel::sql_query(sql).execute(c).map(drop)
        });
    }
}

fn a_tenant_that_is_erased_raises_it(db: &Db) {
    let world = World::new(db);
    let tenant = world.tenant.id;
    must_raise(db, "an erasure", move |c| {
        erase_tenant(c, tenant, NOW).map(drop)
    });
}

fn many_changes_raise_it_and_one_that_fails_does_not(db: &Db) {
    let before = epoch(db);
    let failed = db.write_blocking(|c| {
        tenant("One").insert(c)?;
        Err::<(), DbError>(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(failed.is_err());
    assert_eq!(epoch(db), before);
    must_raise(db, "many", |c| {
        (0..50).try_for_each(|n| tenant(&format!("Tenant {n}")).insert(c))
    });
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

fn each_table_is_either_configuration_or_not(db: &Db) {
    let sql = match db.backend() {
        Backend::Postgres => {
            "SELECT table_name::text AS name FROM information_schema.tables
             WHERE table_schema = current_schema()"
        }
        Backend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
    };
    let names: Vec<Name> = write(db, move |c| diesel::sql_query(sql).load(c));
    let names = names.into_iter().map(|name| name.name);
    let internal = |name: &String| name.starts_with("sqlite_") || name.starts_with("__");
    let mut names: Vec<String> = names.filter(|name| !internal(name)).collect();
    names.sort_unstable();
    let mut known = [&CONFIGURATION[..], &OTHERS[..]].concat();
    known.sort_unstable();
    assert_eq!(names, known);
}

fn what_actions_write_does_not_raise_it(db: &Db) {
    let world = World::new(db);
    let hook = webhook(true);
    write(db, move |c| hook.insert(c));
    let before = epoch(db);
    let change = take(db, &call(NOW), &world.request());
    let later = world.modify("again", NOW.plus(DAY));
    modify(db, NOW, change.log(), &later);
    let user = world.actionee.clone();
    write(db, move |c| user.update(c).map(drop));
    assert_eq!(epoch(db), before);
}

fn there_is_one_row(db: &Db) {
    let second = db.write_blocking(|c| {
        diesel::insert_into(config_epoch::table)
            .values((config_epoch::id.eq(2), config_epoch::epoch.eq(1)))
            .execute(c)?;
        Ok::<_, DbError>(())
    });
    assert!(second.is_err());
}

both_databases!(
    each_change_of_the_configuration_raises_it,
    a_tenant_that_is_erased_raises_it,
    many_changes_raise_it_and_one_that_fails_does_not,
    each_table_is_either_configuration_or_not,
    what_actions_write_does_not_raise_it,
    there_is_one_row,
);

fn reason() -> Reason {
    Reason {
        id: ReasonId::random(),
        text: "Spam".to_owned(),
        text_normalized: normalize("Spam"),
        code: "S".to_owned(),
        code_normalized: normalize("S"),
        localized_texts: None,
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

fn secret(webhook: WebhookId) -> WebhookSecretRow {
    WebhookSecretRow {
        id: WebhookSecretId::random(),
        webhook_id: webhook,
        kind: SecretKind::V1,
        secret: vec![1],
        insert_instant: NOW,
        expiration_instant: None,
        public_key: None,
    }
}

fn signing_key() -> SigningKeyRow {
    SigningKeyRow {
        id: SigningKeyId::random(),
        name: "Key".to_owned(),
        name_normalized: normalize("Key"),
        algorithm: Algorithm::Hs256,
        kid: "kid".to_owned(),
        length: 256,
        public_key: None,
        private_key: None,
        insert_instant: NOW,
        last_update_instant: NOW,
        tenant_id: None,
    }
}
