//! Rows by the million, written by the database itself: what was delivered before, and
//! what waits. They are copies of actions that were really taken and delivered, under
//! other Ids.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::Result;
use beadle_common::db::{AnyConnection, Backend, Db, DbError};
use diesel::connection::SimpleConnection;

use crate::figures::say;

/// Actions that are written in one transaction.
const CHUNK: usize = 50_000;

/// How often whoever waits for it is told how far it is.
const TELL_AGAIN: Duration = Duration::from_secs(20);

/// Deliveries of each action of the past.
pub const FAN_OUT: usize = 10;

/// Actions that are copied, each in its turn.
const MODELS: usize = 64;

/// First bytes of the Ids that are made here. Those of real rows begin with the time, and
/// are larger.
mod prefix {
    pub(super) const OLD: Prefixes = Prefixes([1, 2, 3]);
    pub(super) const PENDING: Prefixes = Prefixes([4, 5, 6]);
    pub(super) const BESIDE: u32 = 7;
    pub(super) const REAL: u32 = 0x0100_0000;

    /// Of logs, events, and deliveries.
    #[derive(Clone, Copy)]
    pub(super) struct Prefixes(pub(super) [u32; 3]);
}

/// All columns of a log but its Id and its instants.
const LOG: &str = "tenant_id, actionee_user_id, actioner_user_id, user_action_id, application_ids, comment, \
     email_user_on_end, notify_user_on_end, end_event_sent, expiry, end_due, canceled, prevent_login, name, \
     localized_name, option, localized_option, reason, localized_reason, reason_code, revision";

/// Adds as many delivered deliveries, with the actions and the events they are of: an
/// action for every ten.
pub fn history(db: &Db, deliveries: usize) -> Result<()> {
    let sql = Sql(db.backend());
    let actions = deliveries / FAN_OUT;
    in_chunks(db, actions, |range| {
        let series = sql.series(&range);
        let delivery = sql.id(prefix::OLD.0[2], &format!("s.n * {FAN_OUT} + w.n"));
        let event = sql.id(prefix::OLD.0[1], "s.n");
        let ways = sql.values_below(FAN_OUT);
        let deliveries = format!(
            "INSERT INTO deliveries (id, kind, destination, event_id, state, attempt, insert_instant, settle_instant,
                 attempt_instant, duration_millis, result, status_code)
             WITH {series}, w(n) AS ({ways}), d AS ({})
             SELECT {delivery}, d.kind, d.destination, {event}, d.state, d.attempt, d.insert_instant - {actions} + s.n,
                 d.settle_instant - {actions} + s.n, d.attempt_instant - {actions} + s.n, d.duration_millis,
                 d.result, d.status_code
             FROM s CROSS JOIN w CROSS JOIN d",
            sql.delivered()
        );
        let instant = format!("- {actions} + s.n");
        let actions = sql.actions(&range, prefix::OLD, &instant);
        format!("{actions}; {deliveries}")
    })
}

/// Adds as many actions of which the webhook has not heard yet.
pub fn pending(db: &Db, deliveries: usize) -> Result<()> {
    let sql = Sql(db.backend());
    in_chunks(db, deliveries, |range| {
        let actions = sql.actions(&range, prefix::PENDING, "");
        let series = sql.series(&range);
        let [_, event, delivery] = prefix::PENDING.0.map(|prefix| sql.id(prefix, "s.n"));
        format!(
            "{actions};
             INSERT INTO outbox (id, kind, destination, event_id, attempt, due_at, insert_instant)
             WITH {series}, d AS ({})
             SELECT {delivery}, d.kind, d.destination, {event}, 0, d.insert_instant + s.n / 1000, d.insert_instant
             FROM s CROSS JOIN d",
            sql.delivered()
        )
    })
}

/// Adds as many deliveries that succeeded at the second attempt, of a webhook that nobody
/// knows any more: a row of `deliveries` and one of `attempts` each.
pub fn retried(db: &Db, deliveries: usize) -> Result<()> {
    let sql = Sql(db.backend());
    let (id, destination) = (sql.id(prefix::BESIDE, "s.n"), sql.id(prefix::BESIDE, "0"));
    in_chunks(db, deliveries, |range| {
        let series = sql.series(&range);
        format!(
            "INSERT INTO deliveries (id, kind, destination, event_id, state, attempt, insert_instant, settle_instant,
                 attempt_instant, duration_millis, result, status_code)
             WITH {series}
             SELECT {id}, 0, {destination}, {id}, 'Delivered', 2, s.n, s.n, s.n, 1, 'Success', 200 FROM s;
             INSERT INTO attempts (delivery_id, number, instant, duration_millis, result, status_code)
             WITH {series}
             SELECT {id}, 1, s.n, 1, 'Failure', 500 FROM s"
        )
    })
}

/// Brings the planner's statistics up to date, as a server does by itself in time.
pub fn analyze(db: &Db) -> Result<()> {
    db.read_blocking(|connection| Ok::<_, DbError>(connection.batch_execute("ANALYZE")?))?;
    Ok(())
}

fn in_chunks(db: &Db, count: usize, sql: impl Fn(Range<usize>) -> String) -> Result<()> {
    let mut told = Instant::now();
    for first in (0..count).step_by(CHUNK) {
        if told.elapsed() > TELL_AGAIN {
            say(&format!("  filling the database: {first} of {count}"));
            told = Instant::now();
        }
        let sql = sql(first..count.min(first + CHUNK));
        db.write_blocking(move |connection: &mut AnyConnection| {
            Ok::<_, DbError>(connection.batch_execute(&sql)?)
        })?;
    }
    Ok(())
}

/// What the databases write differently.
#[derive(Clone, Copy)]
struct Sql(Backend);

impl Sql {
    /// The name of a table `s(n)` with these numbers, and what it is.
    fn series(self, range: &Range<usize>) -> String {
        let (first, last) = (range.start, range.end.saturating_sub(1));
        match self.0 {
            Backend::Postgres => {
                format!("s(n) AS (SELECT * FROM generate_series({first}::bigint, {last}::bigint))")
            }
            Backend::Sqlite => format!(
                "RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last})"
            ),
        }
    }

    fn values_below(self, end: usize) -> String {
        let rows = (0..end).map(|number| format!("({number})"));
        format!("VALUES {}", rows.collect::<Vec<_>>().join(", "))
    }

    /// An Id out of a number.
    fn id(self, prefix: u32, number: &str) -> String {
        match self.0 {
            Backend::Postgres => {
                format!("('{prefix:08x}' || lpad(to_hex(({number})::bigint), 24, '0'))::uuid")
            }
            Backend::Sqlite => format!("unhex(printf('{prefix:08x}%024x', {number}))"),
        }
    }

    /// A delivery that really took place.
    fn delivered(self) -> String {
        let real = self.id(prefix::REAL, "0");
        format!("SELECT * FROM deliveries WHERE id >= {real} ORDER BY id LIMIT 1")
    }

    /// Logs and their events, `shift` away from the instants of those they are copies of.
    fn actions(self, range: &Range<usize>, prefixes: prefix::Prefixes, shift: &str) -> String {
        let series = self.series(range);
        let [log, event, _] = prefixes.0.map(|prefix| self.id(prefix, "s.n"));
        let real = self.id(prefix::REAL, "0");
        let models = format!(
            "p AS (SELECT row_number() OVER (ORDER BY id) - 1 AS k, events.* FROM events
                   WHERE id >= {real} ORDER BY id LIMIT {MODELS})"
        );
        let copied = LOG.split(", ").map(|column| format!("l.{}", column.trim()));
        let copied = copied.collect::<Vec<_>>().join(", ");
        format!(
            "INSERT INTO action_logs (id, {LOG}, insert_instant, last_update_instant)
             WITH {series}, {models}
             SELECT {log}, {copied}, l.insert_instant {shift}, l.last_update_instant {shift}
             FROM s JOIN p ON p.k = s.n % {MODELS} JOIN action_logs l ON l.id = p.action_log_id;
             INSERT INTO events (id, event_type, tenant_id, action_log_id, linked_object_id, body, insert_instant)
             WITH {series}, {models}
             SELECT {event}, p.event_type, p.tenant_id, {log}, p.linked_object_id, p.body, p.insert_instant {shift}
             FROM s JOIN p ON p.k = s.n % {MODELS}"
        )
    }
}
