//! Promises of erasures, on both databases. What an API client sees of them is tested there.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use serde_json::json;

use super::*;
use crate::db::{Backend, Json, JsonText};
use crate::id::{ActionLogId, DeliveryId, DestinationId, EventId, UserActionId, WebhookId};
use crate::model::action_log::ActionLog;
use crate::model::audit_log::NewAuditLog;
use crate::model::event::EventRow;
use crate::model::tenant::Tenant;
use crate::outbox::{NewDelivery, Payload, forget_logs, insert};
use crate::schema::{action_logs, applications, audit_logs, events, outbox as owed};
use crate::test_support::{self, both_databases, everything, holds, write};

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

/// It stands in everything that is written about the users here.
const SECRET: &str = "zq7f3a";

fn tenant(db: &Db, name: &str) -> TenantId {
    let tenant = test_support::tenant(name, &json!({}));
    let id = tenant.id;
    write(db, move |c| tenant.insert(c));
    id
}

fn user(db: &Db, tenant: TenantId) -> UserId {
    let id = UserId::random();
    write(db, move |c| {
        diesel::insert_into(users::table)
            .values((
                users::id.eq(id),
                users::tenant_id.eq(tenant),
                users::active.eq(true),
                users::email.eq(format!("{SECRET}-{id}@hooli.example")),
                users::preferred_languages.eq("[]"),
                users::data.eq(format!("{{\"a\":\"{SECRET}\"}}")),
                users::insert_instant.eq(NOW),
                users::last_update_instant.eq(NOW),
            ))
            .execute(c)?;
        Ok(())
    });
    id
}

fn definition(db: &Db) -> UserActionId {
    let id = UserActionId::random();
    let literal = match db.backend() {
        Backend::Postgres => format!("'{id}'"),
        Backend::Sqlite => format!("x'{}'", id.uuid().simple()),
    };
    write(db, move |c| {
        c.batch_execute(&format!(
            "INSERT INTO user_actions (id, name, name_normalized, active, temporal, prevent_login,
                send_end_event, include_email_in_event_json, user_emailing_enabled,
                user_notifications_enabled, options, tenant_ids, insert_instant,
                last_update_instant)
             VALUES ({literal}, 'Like', '{id}', TRUE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE,
                '[]', '[]', 0, 0)"
        ))
    });
    id
}

/// So many actions on the user, each with an event that is owed to one webhook.
fn act(db: &Db, tenant: TenantId, user: UserId, definition: UserActionId, count: usize) {
    let destination = DestinationId::from(WebhookId::random());
    write(db, move |c| {
        (0..count).try_for_each(|_| {
            let log = log(tenant, user, definition);
            let event = EventRow {
                id: EventId::sequential(),
                event_type: "user.action".to_owned(),
                tenant_id: tenant,
                action_log_id: Some(log.id),
                linked_object_id: Some(user),
                body: SECRET.to_owned(),
                insert_instant: NOW,
            };
            log.insert(c)?;
            event.insert(c)?;
            insert(
                c,
                &NewDelivery::at_once(destination, Payload::Webhook(event.id), NOW),
            )
        })
    });
}

fn log(tenant: TenantId, user: UserId, definition: UserActionId) -> ActionLog {
    ActionLog {
        id: ActionLogId::sequential(),
        tenant_id: tenant,
        actionee_user_id: user,
        actioner_user_id: None,
        user_action_id: definition,
        application_ids: Json(Vec::new()),
        comment: Some(SECRET.to_owned()),
        email_user_on_end: false,
        notify_user_on_end: false,
        end_event_sent: None,
        expiry: None,
        end_due: None,
        canceled: false,
        prevent_login: false,
        name: "Like".to_owned(),
        localized_name: "Like".to_owned(),
        option: None,
        localized_option: None,
        reason: None,
        localized_reason: None,
        reason_code: None,
        revision: 0,
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

/// Logs, events and what is owed.
fn counts(db: &Db) -> [i64; 3] {
    write(db, |c| {
        Ok([
            action_logs::table.count().get_result(c)?,
            events::table.count().get_result(c)?,
            owed::table.count().get_result(c)?,
        ])
    })
}

fn finish(db: &Db, erasure: Erasure) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(erasure.carry_out(db, NOW)).unwrap();
}

fn begin_with(db: &Db, id: UserId) -> Option<Erasure> {
    let user = write(db, move |c| User::find(c, id)).unwrap();
    let begun = db.write_blocking(move |c| erase_user(c, &user, NOW));
    begun.unwrap()
}

fn begin_with_tenant(db: &Db, id: TenantId) -> Erasure {
    write(db, move |c| erase_tenant(c, id, NOW))
}

fn under_way(db: &Db) -> Vec<Erasure> {
    write(db, Erasure::under_way)
}

fn a_user_with_much_behind_them_is_erased_in_small_steps(db: &Db) {
    let tenant = tenant(db, "hooli");
    let (id, other) = (user(db, tenant), user(db, tenant));
    let definition = definition(db);
    act(db, tenant, id, definition, 500);
    act(db, tenant, other, definition, 1);
    let erasure = begin_with(db, id).expect("more than one transaction takes");
    // Nobody sees them any more, and whoever comes next may have their address.
    assert!(write(db, move |c| User::find(c, id)).is_none());
    assert!(write(db, move |c| User::load(c, &[id, other])).len() == 1);
    let first = counts(db);
    assert!(
        first[1] > 250,
        "the first transaction has erased much: {first:?}"
    );
    let mut steps = 0;
    while write_step(db, erasure) == Step::More {
        steps += 1;
        assert!(steps < 20);
    }
    assert!(steps > 2, "{steps}");
    assert_eq!(counts(db), [1, 1, 1]);
    assert_eq!(under_way(db), []);
    assert_eq!(write(db, |c| users::table.count().get_result::<i64>(c)), 1);
}

fn write_step(db: &Db, erasure: Erasure) -> Step {
    db.write_blocking(move |c| step(c, &erasure, NOW)).unwrap()
}

fn a_user_with_little_behind_them_is_gone_at_once(db: &Db) {
    let tenant = tenant(db, "hooli");
    let id = user(db, tenant);
    act(db, tenant, id, definition(db), 5);
    assert_eq!(begin_with(db, id), None);
    assert_eq!(counts(db), [0, 0, 0]);
    assert!(!holds(&everything(db), SECRET));
}

fn a_tenant_is_gone_at_once_and_erased_by_whoever_goes_on(db: &Db) {
    let (hooli, piper) = (tenant(db, "hooli"), tenant(db, "piper"));
    let definition = definition(db);
    let users: Vec<UserId> = (0..5).map(|_| user(db, hooli)).collect();
    for id in users.iter().copied() {
        act(db, hooli, id, definition, 60);
    }
    let stays = user(db, piper);
    act(db, piper, stays, definition, 1);
    let erasure = begin_with_tenant(db, hooli);
    assert!(write(db, move |c| Tenant::find(c, hooli)).is_none());
    assert!(!write(db, move |c| Tenant::exists(c, hooli)));
    assert_eq!(write(db, Tenant::count), 1);
    assert!(write(db, move |c| User::load(c, &users)).is_empty());
    // Its name is free.
    tenant(db, "hooli");
    // The first is killed after a step; what it left stands in the table.
    assert_eq!(write_step(db, erasure), Step::More);
    let [left] = under_way(db).try_into().unwrap();
    assert_eq!(left, erasure);
    // Two go on at once.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| finish(db, left));
        }
    });
    assert_eq!(under_way(db), []);
    assert_eq!(counts(db), [1, 1, 1]);
    let names: i64 = write(db, |c| tenants::table.count().get_result(c));
    assert_eq!(names, 2);
    write(db, move |c| {
        diesel::delete(users::table.find(stays)).execute(c)
    });
    write(db, |c| diesel::delete(events::table).execute(c));
    assert!(!holds(&everything(db), SECRET));
}

/// A client chooses Ids, so a user may have that of a tenant.
fn a_user_who_is_erased_hides_no_tenant_of_the_same_id(db: &Db) {
    let hooli = tenant(db, "hooli");
    write(db, move |c| {
        Erasure::begin(c, hooli.uuid(), Kind::User, NOW)?;
        Ok(())
    });
    assert!(write(db, move |c| Tenant::exists(c, hooli)));
}

/// What no log leads to any more is found by its user.
fn a_definition_that_is_removed_leaves_nothing_that_is_not_found(db: &Db) {
    let tenant = tenant(db, "hooli");
    let id = user(db, tenant);
    let definition = definition(db);
    act(db, tenant, id, definition, 3);
    let rolled_back = EventRow {
        id: EventId::sequential(),
        event_type: "user.action".to_owned(),
        tenant_id: tenant,
        action_log_id: Some(ActionLogId::sequential()),
        linked_object_id: Some(id),
        body: SECRET.to_owned(),
        insert_instant: NOW,
    };
    write(db, move |c| rolled_back.insert_rolled_back(c));
    assert_eq!(write(db, move |c| forget_logs(c, definition)), 3);
    assert_eq!(counts(db), [0, 4, 3]);
    assert_eq!(begin_with(db, id), None);
    assert_eq!(counts(db), [0, 0, 0]);
    assert!(!holds(&everything(db), SECRET));
}

/// Whoever has rendered a mail before, or asked webhooks, comes too late.
fn what_is_written_to_somebody_who_is_gone_is_not_written(db: &Db) {
    let hooli = tenant(db, "hooli");
    let (id, other) = (user(db, hooli), user(db, hooli));
    let mail = |user| crate::mail::QueuedEmail {
        destination: DestinationId::random(),
        row: test_support::email_saying(hooli, user, SECRET),
    };
    let (late, timely) = (mail(id), mail(other));
    assert_eq!(begin_with(db, id), None);
    write(db, move |c| late.queue(c));
    assert_eq!(counts(db), [0, 0, 0]);
    write(db, move |c| timely.queue(c));
    assert_eq!(counts(db), [0, 0, 1]);
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn plan(db: &Db, sql: &'static str) -> String {
    let lines = write(db, move |c| match c {
        AnyConnection::Pg(c) => {
            // However few rows there are.
            c.batch_execute("SET LOCAL enable_seqscan = off")?;
            #[derive(QueryableByName)]
            struct Line {
                #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
                line: String,
            }
            let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN {sql}")).load(c)?;
            Ok(lines.into_iter().map(|line| line.line).collect::<Vec<_>>())
        }
        AnyConnection::Sqlite(c) => {
            let lines: Vec<Plan> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(c)?;
            Ok(lines.into_iter().map(|line| line.detail).collect())
        }
    });
    lines.join("\n")
}

fn what_is_looked_for_is_found_by_an_index(db: &Db) {
    for (sql, index) in [
        (
            "SELECT * FROM suppressions WHERE address_normalized IN ('a', 'b')",
            "suppressions_address",
        ),
        (
            "DELETE FROM suppressions WHERE expiration_instant <= 7",
            "suppressions_expiration",
        ),
        (
            "DELETE FROM suppressions WHERE delivery_id IN (SELECT id FROM deliveries
             WHERE email_id IS NULL AND id < (SELECT max(id::text)::uuid FROM deliveries))",
            "suppressions_delivery",
        ),
        (
            "SELECT id FROM events WHERE linked_object_id = (SELECT max(id::text)::uuid FROM users)
             AND (action_log_id IS NULL OR rolled_back)",
            "events_without_log",
        ),
        (
            "SELECT id FROM emails WHERE tenant_id = (SELECT max(id::text)::uuid FROM users)
             AND action_log_id IS NULL AND user_id IS NULL",
            "emails_without_user",
        ),
        (
            "SELECT id FROM audit_logs WHERE erased_with = (SELECT max(id::text)::uuid FROM users)
             LIMIT 200",
            "audit_logs_erased_with",
        ),
    ] {
        let sqlite = sql.replace("::text)::uuid", ")");
        let sql = match db.backend() {
            Backend::Postgres => sql,
            Backend::Sqlite => Box::leak(sqlite.into_boxed_str()),
        };
        let plan = plan(db, sql);
        assert!(plan.contains(index), "{sql}\n{plan}");
        assert!(!plan.contains("SCAN suppressions"), "{plan}");
    }
}

/// Nothing is owed on account of a tenant that is gone, long before its users are come to.
fn what_waits_is_canceled_first(db: &Db) {
    let (hooli, piper) = (tenant(db, "hooli"), tenant(db, "piper"));
    let definition = definition(db);
    for tenant in [hooli, piper] {
        let id = user(db, tenant);
        act(db, tenant, id, definition, 700);
    }
    let (mut after, mut ids): (_, Vec<DeliveryId>) = (None, Vec::new());
    loop {
        let page = write(db, move |c| outbox::owed_of_tenant(c, hooli, after));
        ids.extend(page.ids);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(ids.len(), 700);
    assert_eq!(write(db, move |c| outbox::cancel(c, &ids, NOW)), 700);
    assert_eq!(counts(db), [1400, 1400, 700]);
}

/// Registrations and applications go with the tenant; nothing refers to nothing.
fn applications_go_with_their_tenant(db: &Db) {
    let hooli = tenant(db, "hooli");
    write(db, move |c| {
        diesel::insert_into(applications::table)
            .values((
                applications::id.eq(crate::id::ApplicationId::random()),
                applications::tenant_id.eq(hooli),
                applications::name.eq(SECRET),
                applications::name_normalized.eq(SECRET),
                applications::active.eq(true),
                applications::data.eq("{}"),
                applications::settings.eq("{}"),
                applications::insert_instant.eq(NOW),
                applications::last_update_instant.eq(NOW),
            ))
            .execute(c)
    });
    let erasure = begin_with_tenant(db, hooli);
    finish(db, erasure);
    assert!(!holds(&everything(db), SECRET));
}

fn what_a_tenant_was_goes_from_the_audit_log_in_small_steps(db: &Db) {
    let [tenant, other] = ["Pied Piper", "Hooli"].map(|name| self::tenant(db, name));
    let entry = |erased_with| NewAuditLog {
        tenant_id: Some(tenant),
        // As Beadle's own entries, whoever writes it.
        insert_user: "API key 1".to_owned(),
        message: "updated tenant".to_owned(),
        reason: None,
        old_value: Some(JsonText::of(&json!(SECRET))),
        new_value: Some(JsonText::of(&json!(SECRET))),
        data: JsonText::of(&json!({"noun": "tenant"})),
        insert_instant: NOW,
        erased_with,
    };
    let [own, others, a_clients] = [Some(tenant), Some(other), None].map(entry);
    let many = usize::try_from(Budget::BATCH.rows()).unwrap() * 2 + 1;
    write(db, move |c| {
        for _ in 0..many {
            own.insert(c)?;
        }
        others.insert(c)?;
        a_clients.insert(c)
    });
    let erasure = begin_with_tenant(db, tenant);
    finish(db, erasure);
    let left = write(db, |c| {
        let values = audit_logs::table.select((audit_logs::old_value, audit_logs::new_value));
        values.load::<(Option<String>, Option<String>)>(c)
    });
    let kept =
        |values: &&(Option<String>, Option<String>)| values.0.is_some() && values.1.is_some();
    assert_eq!(left.len(), many + 2);
    assert_eq!(left.iter().filter(kept).count(), 2);
}

both_databases!(
    a_user_with_much_behind_them_is_erased_in_small_steps,
    a_user_with_little_behind_them_is_gone_at_once,
    a_tenant_is_gone_at_once_and_erased_by_whoever_goes_on,
    a_user_who_is_erased_hides_no_tenant_of_the_same_id,
    a_definition_that_is_removed_leaves_nothing_that_is_not_found,
    what_is_looked_for_is_found_by_an_index,
    what_waits_is_canceled_first,
    what_is_written_to_somebody_who_is_gone_is_not_written,
    applications_go_with_their_tenant,
    what_a_tenant_was_goes_from_the_audit_log_in_small_steps,
);
