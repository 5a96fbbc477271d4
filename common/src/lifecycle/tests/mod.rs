//! Promises of the life cycle, on both databases. Here is what they have in common:
//! a small world of tenants, users, definitions and webhooks.

mod atomic;
mod batch;
mod config_changes;
mod config_epoch;
mod config_snapshot;
mod conflict;
mod end;
mod event;
mod mail;
mod modify_and_cancel;
mod notice;
mod race;
mod statements;
mod system;
mod take;
mod validation;
mod webhook_consent;
mod webhooks;

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::{Map, Value, json};

use super::*;
use crate::db::{AnyConnection, Db, DbError, Json, JsonText};
use crate::id::{
    ApplicationId, DestinationId, EmailTemplateId, ReasonId, TenantId, UserActionId, WebhookId,
};
use crate::locale::{Locale, LocalizedText};
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::application::Application;
use crate::model::email::Mailbox;
use crate::model::email_template::EmailTemplate;
use crate::model::normalize;
use crate::model::reason::Reason;
use crate::model::tenant::Tenant;
use crate::model::user::User;
use crate::model::user_action::{ActionOption, TransactionType, UserAction};
use crate::model::webhook::Webhook;
use crate::test_support::{self, write};

const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Every table, so that "nothing was written" can be said of all of them.
const TABLES: [&str; 19] = [
    "action_history",
    "action_logs",
    "api_keys",
    "applications",
    "attempts",
    "deliveries",
    "email_templates",
    "emails",
    "event_logs",
    "events",
    "outbox",
    "tenants",
    "user_action_reasons",
    "user_actions",
    "users",
    "webhook_secrets",
    "webhook_tenants",
    "webhooks",
    "__diesel_schema_migrations",
];

/// Who and what the tests act with.
struct World {
    tenant: Tenant,
    actionee: User,
    actioner: User,
    /// Time-based, without mail.
    ban: UserAction,
    /// Not time-based.
    reward: UserAction,
}

impl World {
    fn new(db: &Db) -> Self {
        let tenant = tenant("Mine");
        let world = Self {
            actionee: User {
                email: Some("reader@example.com".to_owned()),
                full_name: Some("Reader".to_owned()),
                ..user(&tenant)
            },
            actioner: user(&tenant),
            ban: definition("Ban", true),
            reward: definition("Reward", false),
            tenant,
        };
        let rows = (
            world.tenant.clone(),
            [world.actionee.clone(), world.actioner.clone()],
            [world.ban.clone(), world.reward.clone()],
        );
        write(db, move |c| {
            rows.0.insert(c)?;
            rows.1.iter().try_for_each(|row| row.insert(c))?;
            rows.2.iter().try_for_each(|row| row.insert(c))
        });
        world
    }

    /// A complete request for the ban, until tomorrow.
    fn request(&self) -> TakeRequest {
        TakeRequest {
            common: self.common("first"),
            actionee_user_id: Some(self.actionee.id),
            user_action_id: Some(self.ban.id),
            expiry: Some(NOW.plus(DAY)),
            ..TakeRequest::default()
        }
    }

    fn common(&self, comment: &str) -> Common {
        Common {
            actioner_user_id: Some(self.actioner.id),
            comment: Some(comment.to_owned()),
            ..Common::default()
        }
    }

    fn modify(&self, comment: &str, expiry: UnixMillis) -> ModifyRequest {
        ModifyRequest {
            common: self.common(comment),
            expiry: Some(expiry),
        }
    }

    fn cancel(&self, comment: &str) -> CancelRequest {
        CancelRequest {
            common: self.common(comment),
        }
    }
}

fn tenant(name: &str) -> Tenant {
    let events = json!({"user.action": {"enabled": true, "transactionType": "None"}});
    Tenant {
        id: TenantId::random(),
        name: name.to_owned(),
        name_normalized: normalize(name),
        is_default: false,
        data: JsonText::empty_object(),
        email_configuration: Json(Map::new()),
        smtp_password: None,
        event_configuration: Json([("events".to_owned(), events)].into_iter().collect()),
        settings: Json(Map::new()),
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

fn user(tenant: &Tenant) -> User {
    User {
        id: UserId::random(),
        tenant_id: tenant.id,
        active: true,
        email: None,
        username: None,
        username_normalized: None,
        password_hash: None,
        password_last_update_instant: None,
        first_name: None,
        middle_name: None,
        last_name: None,
        full_name: None,
        image_url: None,
        mobile_phone: None,
        parent_email: None,
        birth_date: None,
        timezone: None,
        expiry: None,
        preferred_languages: Json(Vec::new()),
        data: JsonText::empty_object(),
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

fn definition(name: &str, temporal: bool) -> UserAction {
    UserAction {
        id: UserActionId::random(),
        name: name.to_owned(),
        name_normalized: normalize(name),
        active: true,
        temporal,
        prevent_login: temporal,
        send_end_event: true,
        include_email_in_event_json: false,
        user_emailing_enabled: true,
        user_notifications_enabled: false,
        start_email_template_id: None,
        modify_email_template_id: None,
        cancel_email_template_id: None,
        end_email_template_id: None,
        localized_names: None,
        options: Json(Vec::new()),
        tenant_ids: Json(Vec::new()),
        transaction_type: None,
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

/// A template whose three parts all say `text`.
fn template(name: &str, text: &str) -> EmailTemplate {
    EmailTemplate {
        id: EmailTemplateId::random(),
        name: name.to_owned(),
        name_normalized: normalize(name),
        from_email: None,
        default_from_name: None,
        default_subject: text.to_owned(),
        default_html_template: text.to_owned(),
        default_text_template: text.to_owned(),
        localized_from_names: Json(LocalizedText::new()),
        localized_html_templates: Json(LocalizedText::new()),
        localized_subjects: Json(LocalizedText::new()),
        localized_text_templates: Json(LocalizedText::new()),
        version: 1,
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

fn webhook(global: bool) -> Webhook {
    Webhook {
        global,
        ..test_support::webhook(WebhookId::random(), Vec::new())
    }
}

fn texts(pairs: &[(&str, &str)]) -> LocalizedText {
    let pair = |(locale, text): &(&str, &str)| (Locale::parse(locale).unwrap(), (*text).to_owned());
    pairs.iter().map(pair).collect()
}

fn setup() -> Setup {
    Setup {
        mail_from: Mailbox {
            address: "beadle@server.example".to_owned(),
            display: Some("Beadle".to_owned()),
        },
        base_url: None,
    }
}

/// A call that raises the event.
fn call(now: UnixMillis) -> Call {
    Call {
        now,
        scope: None,
        broadcast: true,
        info: Map::new(),
    }
}

fn prepare(db: &Db, call: &Call, request: &TakeRequest) -> Result<Change, Refusal> {
    db.read_blocking(|c| prepare_take(c, &setup(), call, request))
}

fn save(db: &Db, change: Change) -> Result<Change, Conflict> {
    db.write_blocking(move |c| commit(c, change))
}

fn take(db: &Db, call: &Call, request: &TakeRequest) -> Change {
    save(db, prepare(db, call, request).unwrap()).unwrap()
}

fn modify(db: &Db, now: UnixMillis, log: &ActionLog, request: &ModifyRequest) -> Change {
    let change = db
        .read_blocking(|c| prepare_modify(c, &setup(), &call(now), log.id, request))
        .unwrap();
    save(db, change).unwrap()
}

fn cancel(db: &Db, now: UnixMillis, log: &ActionLog, request: &CancelRequest) -> Change {
    let change = db
        .read_blocking(|c| prepare_cancel(c, &setup(), &call(now), log.id, request))
        .unwrap();
    save(db, change).unwrap()
}

/// One look for expired logs.
fn end(db: &Db, now: UnixMillis) -> EndRun {
    runtime().block_on(end_due(db, &setup(), now)).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
}

fn stored(db: &Db, change: &Change) -> ActionLog {
    let id = change.log().id;
    write(db, move |c| ActionLog::find(c, id)).unwrap()
}

fn history(db: &Db, change: &Change) -> Vec<HistoryItem> {
    let id = change.log().id;
    write(db, move |c| HistoryItem::of_log(c, id))
}

/// The stored bodies of all events, oldest first.
fn events(db: &Db) -> Vec<Value> {
    use crate::schema::events::dsl;
    let bodies: Vec<String> = write(db, |c| dsl::events.order(dsl::id).select(dsl::body).load(c));
    let event = |body: &String| serde_json::from_str::<Value>(body).unwrap()["event"].clone();
    bodies.iter().map(event).collect()
}

/// The destinations of all rows of the outbox, sorted.
fn destinations(db: &Db) -> Vec<DestinationId> {
    use crate::schema::outbox::dsl;
    write(db, |c| {
        dsl::outbox
            .order(dsl::destination)
            .select(dsl::destination)
            .load(c)
    })
}

fn event_logs(db: &Db) -> Vec<String> {
    use crate::schema::event_logs::dsl;
    write(db, |c| {
        dsl::event_logs.order(dsl::id).select(dsl::message).load(c)
    })
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// How many rows each table has.
fn census(db: &Db, tables: &[&'static str]) -> BTreeMap<&'static str, i64> {
    let tables = tables.to_vec();
    write(db, move |c| {
        let count = |table: &&'static str| {
            let sql = format!("SELECT count(*) AS rows FROM {table}");
            let count: Count = diesel::sql_query(sql).get_result(c)?;
            Ok((*table, count.rows))
        };
        tables.iter().map(count).collect()
    })
}
