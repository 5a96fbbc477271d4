//! Which deliveries a search finds, without reading the millions that it does not.
//!
//! Both tables are asked the same, and what they find is merged. Ids of deliveries grow
//! with time, so the newest come first by the primary key, and a range of time is a range
//! of Ids; each criterion has an index of its own beside that.

use std::collections::HashSet;
use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::DeliveryStatus;
use crate::db::{AnyConnection, MultiBackend};
use crate::id::{
    ActionLogId, DeliveryId, DestinationId, EmailId, EventId, UserId, WebhookId, min_id_at,
};
use crate::model::search::{self, Window};
use crate::outbox::{Kind, KindCode};
use crate::schema::{action_logs, deliveries, destination_states, emails, events, outbox};
use crate::unix_millis::UnixMillis;

/// How far pages reach, and how far the total counts: beyond, nobody pages, and counting
/// would read the whole history.
pub const MOST_FOUND: i64 = 10_000;

/// Events, and emails, of one user or one action that are looked at: the newest.
const MOST_PAYLOADS: i64 = 5_000;

/// By how much the clock of an Id may differ from the instant beside it.
const SLACK: Duration = Duration::from_secs(60 * 60);

/// Which deliveries to find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliverySearch {
    /// To this webhook.
    pub webhook: Option<WebhookId>,
    /// Of this event, its email included.
    pub event: Option<EventId>,
    /// Of this action.
    pub action: Option<ActionLogId>,
    /// Of what was done to this user, and of other emails to them.
    pub user: Option<UserId>,
    /// Webhooks or emails only.
    pub kind: Option<Kind>,
    /// Where they stand.
    pub state: Option<DeliveryStatus>,
    /// Owed since then or later.
    pub start: Option<UnixMillis>,
    /// Owed since then or earlier.
    pub end: Option<UnixMillis>,
    /// The oldest first.
    pub ascending: bool,
}

/// What the deliveries of a user or an action deliver.
struct Payloads {
    events: Vec<EventId>,
    emails: Vec<EmailId>,
}

type Found = (UnixMillis, DeliveryId);

/// The criteria that both tables can tell.
macro_rules! common {
    ($table:ident, $search:expr, $payloads:expr, $limit:expr) => {{
        let search: &DeliverySearch = $search;
        let mut query = $table::table
            .select(($table::insert_instant, $table::id))
            .limit($limit)
            .into_boxed::<MultiBackend>();
        if let Some(webhook) = search.webhook {
            query = query.filter($table::destination.eq(DestinationId::from(webhook)));
        }
        if let Some(kind) = search.kind_asked() {
            query = query.filter($table::kind.eq(KindCode::from(kind)));
        }
        if let Some(Payloads { events, emails }) = $payloads {
            let of_event = $table::event_id.eq_any(events.clone());
            let of_email = $table::email_id.eq_any(emails.clone());
            query = query.filter(of_event.or(of_email));
        }
        if let Some(start) = search.start {
            let first: DeliveryId = min_id_at(start.minus(SLACK));
            query = query
                .filter($table::insert_instant.ge(start))
                .filter($table::id.ge(first));
        }
        if let Some(end) = search.end {
            let beyond: DeliveryId = min_id_at(end.plus(SLACK));
            query = query
                .filter($table::insert_instant.le(end))
                .filter($table::id.lt(beyond));
        }
        // Of one webhook, the index by destination and time has them in order.
        match (search.webhook.is_some(), search.ascending) {
            (true, false) => query.order(($table::insert_instant.desc(), $table::id.desc())),
            (true, true) => query.order(($table::insert_instant.asc(), $table::id.asc())),
            (false, false) => query.order($table::id.desc()),
            (false, true) => query.order($table::id.asc()),
        }
    }};
}

impl DeliverySearch {
    /// How many there are, [`MOST_FOUND`] at most, and a part of them.
    pub fn run(
        &self,
        connection: &mut AnyConnection,
        window: Window,
        now: UnixMillis,
    ) -> QueryResult<search::Found<DeliveryId>> {
        let payloads = self.payloads(connection)?;
        let reach = window.start.saturating_add(window.results).min(MOST_FOUND);
        let mut found = self.find(connection, payloads.as_ref(), reach, now)?;
        let total = match count(&found) < reach {
            true => count(&found),
            false => {
                let all = self.find(connection, payloads.as_ref(), MOST_FOUND, now)?;
                count(&all).min(MOST_FOUND)
            }
        };
        found.truncate(size(reach));
        let page = found.into_iter().skip(size(window.start));
        Ok(search::Found {
            total,
            ids: page.map(|(_, id)| id).collect(),
        })
    }

    /// Up to `limit` of each table, merged.
    fn find(
        &self,
        connection: &mut AnyConnection,
        payloads: Option<&Payloads>,
        limit: i64,
        now: UnixMillis,
    ) -> QueryResult<Vec<Found>> {
        let mut found = Vec::new();
        if self.state.is_none_or(is_owed) {
            found.extend(self.find_owed(connection, payloads, limit, now)?);
        }
        if self.state.is_none_or(is_settled) {
            found.extend(self.find_settled(connection, payloads, limit)?);
        }
        match self.webhook {
            Some(_) => found.sort_unstable(),
            None => found.sort_unstable_by_key(|(_, id)| *id),
        }
        if !self.ascending {
            found.reverse();
        }
        // What was settled in between is in both.
        let mut seen = HashSet::new();
        found.retain(|(_, id)| seen.insert(*id));
        Ok(found)
    }

    fn find_owed(
        &self,
        connection: &mut AnyConnection,
        payloads: Option<&Payloads>,
        limit: i64,
        now: UnixMillis,
    ) -> QueryResult<Vec<Found>> {
        let mut query = common!(outbox, self, payloads, limit);
        let leased = outbox::lease_token
            .is_not_null()
            .and(outbox::due_at.gt(now));
        let not_leased = outbox::lease_token.is_null().or(outbox::due_at.le(now));
        // Few, however much they hold.
        let disabled = destination_states::table
            .filter(destination_states::disabled_instant.is_not_null())
            .select(destination_states::destination);
        match self.state {
            Some(DeliveryStatus::Leased) => query = query.filter(leased),
            Some(DeliveryStatus::Held) => {
                query = query
                    .filter(not_leased)
                    .filter(outbox::destination.eq_any(disabled));
            }
            Some(DeliveryStatus::Pending) => {
                query = query
                    .filter(not_leased)
                    .filter(outbox::destination.ne_all(disabled));
            }
            _ => {}
        }
        query.load(connection)
    }

    fn find_settled(
        &self,
        connection: &mut AnyConnection,
        payloads: Option<&Payloads>,
        limit: i64,
    ) -> QueryResult<Vec<Found>> {
        let mut query = common!(deliveries, self, payloads, limit);
        if let Some(state) = self.state {
            query = query.filter(deliveries::state.eq(state.as_str()));
        }
        if self
            .state
            .is_some_and(|state| state != DeliveryStatus::Delivered)
        {
            // To the letter what the partial index says, which is how it is found.
            query = query.filter(sql::<Bool>("state <> 'Delivered'"));
        }
        query.load(connection)
    }

    /// A webhook names the kind as well, which the outbox's index begins with.
    fn kind_asked(&self) -> Option<Kind> {
        self.kind.or(self.webhook.map(|_| Kind::Webhook))
    }

    /// The events and emails of the event, action and user asked for; none: all.
    fn payloads(&self, connection: &mut AnyConnection) -> QueryResult<Option<Payloads>> {
        if self.event.is_none() && self.action.is_none() && self.user.is_none() {
            return Ok(None);
        }
        Ok(Some(Payloads {
            events: self.events(connection)?,
            emails: self.emails(connection)?,
        }))
    }

    fn events(&self, connection: &mut AnyConnection) -> QueryResult<Vec<EventId>> {
        let mut query = events::table
            .select(events::id)
            .order(events::id.desc())
            .limit(MOST_PAYLOADS)
            .into_boxed::<MultiBackend>();
        if let Some(event) = self.event {
            query = query.filter(events::id.eq(event));
        }
        if let Some(action) = self.action {
            query = query.filter(events::action_log_id.eq(action));
        }
        if let Some(user) = self.user {
            let actions = action_logs::table
                .filter(action_logs::actionee_user_id.eq(user))
                .select(action_logs::id.nullable());
            query = query.filter(events::action_log_id.eq_any(actions));
        }
        query.load(connection)
    }

    fn emails(&self, connection: &mut AnyConnection) -> QueryResult<Vec<EmailId>> {
        let mut query = emails::table
            .select(emails::id)
            .order(emails::id.desc())
            .limit(MOST_PAYLOADS)
            .into_boxed::<MultiBackend>();
        if let Some(event) = self.event {
            // By the action, since emails are not found by their event.
            let actions = events::table
                .filter(events::id.eq(event))
                .select(events::action_log_id);
            query = query
                .filter(emails::action_log_id.eq_any(actions))
                .filter(emails::event_id.eq(event));
        }
        if let Some(action) = self.action {
            query = query.filter(emails::action_log_id.eq(action));
        }
        if let Some(user) = self.user {
            let actions = action_logs::table
                .filter(action_logs::actionee_user_id.eq(user))
                .select(action_logs::id.nullable());
            let own = emails::action_log_id
                .is_null()
                .and(emails::user_id.eq(user));
            query = query.filter(emails::action_log_id.eq_any(actions).or(own));
        }
        query.load(connection)
    }
}

fn is_owed(state: DeliveryStatus) -> bool {
    matches!(
        state,
        DeliveryStatus::Pending | DeliveryStatus::Leased | DeliveryStatus::Held
    )
}

fn is_settled(state: DeliveryStatus) -> bool {
    !matches!(state, DeliveryStatus::Pending | DeliveryStatus::Leased)
}

fn count(found: &[Found]) -> i64 {
    i64::try_from(found.len()).unwrap_or(i64::MAX)
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}
