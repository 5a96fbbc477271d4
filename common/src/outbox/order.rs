//! Order: a webhook may ask for each user's deliveries one after the other.
//!
//! A new delivery gets the next number of its user to that webhook, and is *parked* while an
//! earlier one is not decided; whoever decides that one frees the next. Both hold the user's
//! row while they look, so that none is parked behind what has just gone. SQLite has one
//! writer, which is the same. What is sent again by hand, and what a transactional event has
//! sent before its action happened, stand outside the order.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, SmallInt};
use uuid::Uuid;

use super::{NewDelivery, PRIORITY_BLOCKED, PRIORITY_NEW, PRIORITY_RETRY, insert};
use crate::db::{AnyConnection, SqlUuid};
use crate::id::{DeliveryId, DestinationId, UserId};
use crate::schema::outbox;
use crate::unix_millis::UnixMillis;

/// Rows that are looked at together, and so the queues that are freed in one transaction at
/// most.
const SEEN_AT_ONCE: i64 = 500;

/// The deliveries that keep an order, queue by queue. All of it is in the partial index but
/// the priority.
const SEEN: &str = "SELECT order_key AS \"user\", destination, sequence, priority FROM outbox
     WHERE order_key IS NOT NULL AND (destination, order_key, sequence) > ($1, $2, $3)
     ORDER BY destination, order_key, sequence LIMIT $4";

/// A delivery that keeps an order.
#[derive(QueryableByName)]
struct Place {
    #[diesel(embed)]
    queue: Queue,
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
}

/// What is owed to one destination on account of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Queryable, QueryableByName)]
pub struct Queue {
    // First, since users are locked in their order.
    #[diesel(sql_type = SqlUuid)]
    pub(super) user: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub(super) destination: DestinationId,
}

/// Adds a delivery that comes after those of the same user to the same destination. Call it in a
/// write transaction.
pub fn insert_in_order(
    connection: &mut AnyConnection,
    delivery: &NewDelivery,
    user: UserId,
) -> QueryResult<()> {
    lock(connection, &[user])?;
    let last: Option<i64> = outbox::table
        .filter(outbox::destination.eq(delivery.destination))
        .filter(outbox::order_key.eq(user))
        .select(diesel::dsl::max(outbox::sequence))
        .first(connection)?;
    insert(connection, delivery)?;
    diesel::update(outbox::table.find(delivery.id))
        .set((
            outbox::order_key.eq(Some(user)),
            outbox::sequence.eq(Some(last.unwrap_or(0) + 1)),
            outbox::priority.eq(if last.is_some() {
                PRIORITY_BLOCKED
            } else {
                PRIORITY_NEW
            }),
        ))
        .execute(connection)?;
    Ok(())
}

/// Nobody else adds to the queues of these users, or frees what is in them, until the
/// transaction ends.
fn lock(connection: &mut AnyConnection, users: &[UserId]) -> QueryResult<()> {
    let AnyConnection::Pg(connection) = connection else {
        // There is one writer, and this is it.
        return Ok(());
    };
    // Not the key: what refers to the user may be written meanwhile.
    diesel::sql_query("SELECT 1 FROM users WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
        .bind::<Array<SqlUuid>, _>(users)
        .execute(connection)?;
    Ok(())
}

/// Frees the first of each queue, if it is parked, and returns how many were. To be called
/// once what came before it has gone, in the same transaction.
pub(super) fn free_next(
    connection: &mut AnyConnection,
    mut queues: Vec<Queue>,
    now: UnixMillis,
) -> QueryResult<usize> {
    if queues.is_empty() {
        return Ok(0);
    }
    queues.sort_unstable();
    queues.dedup();
    let mut users: Vec<UserId> = queues.iter().map(|queue| queue.user).collect();
    users.dedup();
    lock(connection, &users)?;
    let mut freed = 0;
    for queue in queues {
        freed += free_first(connection, queue, now)?;
    }
    Ok(freed)
}

fn free_first(connection: &mut AnyConnection, queue: Queue, now: UnixMillis) -> QueryResult<usize> {
    let first: Option<(DeliveryId, i16, i32)> = outbox::table
        .filter(outbox::destination.eq(queue.destination))
        .filter(outbox::order_key.eq(queue.user))
        .order(outbox::sequence)
        .select((outbox::id, outbox::priority, outbox::attempt))
        .first(connection)
        .optional()?;
    let Some((id, PRIORITY_BLOCKED, attempt)) = first else {
        return Ok(0);
    };
    let priority = if attempt == 0 {
        PRIORITY_NEW
    } else {
        PRIORITY_RETRY
    };
    diesel::update(
        outbox::table
            .find(id)
            .filter(outbox::priority.eq(PRIORITY_BLOCKED)),
    )
    .set((outbox::priority.eq(priority), outbox::due_at.eq(now)))
    .execute(connection)
}

/// Where a look for what is stranded goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderCursor {
    queue: Queue,
    sequence: i64,
}

/// What a look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranded {
    /// Queues whose first delivery is parked.
    pub queues: Vec<Queue>,
    /// Where the next look begins; none: that was the last.
    pub next: Option<OrderCursor>,
}

/// Looks at a part of what keeps an order for what is parked behind nothing. It may be much,
/// so call it outside transactions. Some of it may be about to be freed.
pub fn stranded(
    connection: &mut AnyConnection,
    after: Option<OrderCursor>,
) -> QueryResult<Stranded> {
    let start = after.unwrap_or(OrderCursor {
        queue: Queue {
            user: Uuid::nil().into(),
            destination: Uuid::nil().into(),
        },
        sequence: 0,
    });
    let rows: Vec<Place> = diesel::sql_query(SEEN)
        .bind::<SqlUuid, _>(start.queue.destination)
        .bind::<SqlUuid, _>(start.queue.user)
        .bind::<BigInt, _>(start.sequence)
        .bind::<BigInt, _>(SEEN_AT_ONCE)
        .load(connection)?;
    let mut queues = Vec::new();
    let mut before = after.map(|cursor| cursor.queue);
    for row in &rows {
        let is_first = before != Some(row.queue);
        if is_first && row.priority == PRIORITY_BLOCKED {
            queues.push(row.queue);
        }
        before = Some(row.queue);
    }
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == SEEN_AT_ONCE);
    let last = rows.last().filter(|_| is_full);
    Ok(Stranded {
        queues,
        next: last.map(|last| OrderCursor {
            queue: last.queue,
            sequence: last.sequence,
        }),
    })
}

/// Frees what is parked behind nothing in these queues, and returns how many that were. The
/// net under `free_next`: everything that takes rows out of the outbox another way relies on
/// it. Call it in a write transaction, and wake the workers after the commit.
pub fn free_stranded(
    connection: &mut AnyConnection,
    queues: &[Queue],
    now: UnixMillis,
) -> QueryResult<usize> {
    free_next(connection, queues.to_vec(), now)
}
