//! Erasures: users and tenants that do not exist any more for anybody, and whose rows go in
//! small transactions that nobody else notices.
//!
//! An erasure begins with a row of `erasures`, and ends when that goes. In between any
//! process may go on with it, also several at once: whoever began it does, and each worker
//! looks for what others have left. What is in the table is hidden by the queries of
//! [`Tenant`](crate::model::tenant::Tenant) and [`User`], and so is whatever is found through those.

mod step;
#[cfg(test)]
mod tests;

use std::time::Duration;

use diesel::prelude::*;
use tokio::time::sleep;

use crate::db::{AnyConnection, Db, DbError};
use crate::id::{ErasureId, TenantId, UserId};
use crate::model::erased::Kind;
use crate::model::signing_key::SigningKeyRow;
use crate::model::suppression::Suppression;
use crate::model::user::User;
use crate::outbox::{self, Budget, EraseError, erase_of_user};
use crate::schema::{api_keys, erasures, mail_limits, tenants, users, webhook_tenants};
use crate::unix_millis::UnixMillis;
use step::{Step, step};

/// How long to wait for somebody who holds what comes next.
const BUSY: Duration = Duration::from_millis(50);

/// Rests after a batch are this long at most.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Something that is being erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = erasures, primary_key(kind, id))]
pub struct Erasure {
    id: ErasureId,
    kind: Kind,
    insert_instant: UnixMillis,
}

/// Erases a user. None: all is gone. Otherwise so much was written that it takes several
/// transactions: nobody sees the user any more, and [`Erasure::carry_out`] does the rest. Call
/// it in a write transaction that holds the user's row, so that nothing is added.
///
/// # Errors
/// [`EraseError`]; the transaction has to be rolled back then.
pub fn erase_user(
    connection: &mut AnyConnection,
    user: &User,
    now: UnixMillis,
) -> Result<Option<Erasure>, EraseError> {
    let mut budget = Budget::BATCH;
    erase_of_user(connection, user.id, &mut budget, now)?;
    if let Some(address) = &user.email {
        Suppression::lift(connection, Some(user.tenant_id), address, now)?;
    }
    if !budget.is_spent() {
        User::delete(connection, user.id)?;
        return Ok(None);
    }
    // Whoever comes next may have the same address and the same name.
    diesel::update(users::table.find(user.id))
        .set((
            users::email.eq(None::<String>),
            users::username.eq(None::<String>),
            users::username_normalized.eq(None::<String>),
        ))
        .execute(connection)?;
    Ok(Some(Erasure::begin(
        connection,
        user.id.uuid(),
        Kind::User,
        now,
    )?))
}

/// Begins to erase a tenant with all its users. What gives access to it and what is secret
/// goes at once; [`Erasure::carry_out`] does the rest. Call it in a write transaction.
pub fn erase_tenant(
    connection: &mut AnyConnection,
    tenant: TenantId,
    now: UnixMillis,
) -> QueryResult<Erasure> {
    diesel::delete(api_keys::table.filter(api_keys::tenant_id.eq(tenant))).execute(connection)?;
    diesel::delete(webhook_tenants::table.filter(webhook_tenants::tenant_id.eq(tenant)))
        .execute(connection)?;
    diesel::delete(mail_limits::table.filter(mail_limits::tenant_id.eq(tenant)))
        .execute(connection)?;
    SigningKeyRow::delete_of(connection, tenant)?;
    // The next tenant may have the same name. Nothing is switched on any more.
    diesel::update(tenants::table.find(tenant))
        .set((
            tenants::name.eq(""),
            tenants::name_normalized.eq(format!("erased {tenant}")),
            tenants::data.eq("{}"),
            tenants::email_configuration.eq("{}"),
            tenants::smtp_password.eq(None::<Vec<u8>>),
            tenants::event_configuration.eq("{}"),
            tenants::settings.eq("{}"),
        ))
        .execute(connection)?;
    Erasure::begin(connection, tenant.uuid(), Kind::Tenant, now)
}

impl Erasure {
    fn begin(
        connection: &mut AnyConnection,
        id: uuid::Uuid,
        kind: Kind,
        now: UnixMillis,
    ) -> QueryResult<Self> {
        let erasure = Self {
            id: id.into(),
            kind,
            insert_instant: now,
        };
        diesel::insert_into(erasures::table)
            .values(erasure)
            .execute(connection)?;
        Ok(erasure)
    }

    /// What has begun and is not at its end.
    pub fn under_way(connection: &mut AnyConnection) -> QueryResult<Vec<Self>> {
        erasures::table
            .order(erasures::insert_instant)
            .select(Self::as_select())
            .load(connection)
    }

    /// Goes on until nothing is left. Between two batches others have the database to
    /// themselves for as long as a batch takes. It may be dropped at any time.
    ///
    /// # Errors
    /// Those of the database; what is gone stays gone, and the rest can be carried out later.
    pub async fn carry_out(self, db: &Db, now: UnixMillis) -> Result<(), DbError> {
        if self.kind == Kind::Tenant {
            self.cancel_owed(db, now).await?;
        }
        loop {
            let began = tokio::time::Instant::now();
            let stepped = db
                .write(move |connection| step(connection, &self, now))
                .await;
            match stepped {
                Ok(Step::Done) => return Ok(()),
                Ok(Step::More) => sleep(began.elapsed().min(LONGEST_REST)).await,
                Ok(Step::Held) | Err(EraseError::Busy) => sleep(BUSY).await,
                Err(EraseError::Database(error)) => return Err(error),
            }
        }
    }

    /// Cancels what waits to be delivered, before the rows behind it are come to.
    async fn cancel_owed(self, db: &Db, now: UnixMillis) -> Result<(), DbError> {
        let tenant = TenantId::from(self.id.uuid());
        let mut after = None;
        loop {
            let page = db
                .read(move |connection| {
                    Ok::<_, DbError>(outbox::owed_of_tenant(connection, tenant, after)?)
                })
                .await?;
            if !page.ids.is_empty() {
                let ids = page.ids;
                db.write(move |connection| {
                    Ok::<_, DbError>(outbox::cancel(connection, &ids, now)?)
                })
                .await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

impl From<Erasure> for UserId {
    fn from(erasure: Erasure) -> Self {
        erasure.id.uuid().into()
    }
}

impl From<Erasure> for TenantId {
    fn from(erasure: Erasure) -> Self {
        erasure.id.uuid().into()
    }
}
