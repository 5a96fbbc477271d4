//! Users: actioners and actionees.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::email::Mailbox;
use super::erased::{tenants_under_erasure, users_under_erasure};
use super::{normalize, rows};
use crate::db::{AnyConnection, Json, JsonText, Locking, RowLock};
use crate::id::{TenantId, UserId};
use crate::locale::Locale;
use crate::schema::users;
use crate::unix_millis::UnixMillis;

/// A user of a tenant.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
pub struct User {
    /// Primary key.
    pub id: UserId,
    /// Whose user it is; never changes.
    pub tenant_id: TenantId,
    /// False once deactivated.
    pub active: bool,
    /// Lower case; unique within the tenant.
    pub email: Option<String>,
    /// As the client wrote it.
    pub username: Option<String>,
    /// `username`, folded; unique within the tenant.
    pub username_normalized: Option<String>,
    /// PHC string of Argon2id.
    pub password_hash: Option<String>,
    /// When the password was set.
    pub password_last_update_instant: Option<UnixMillis>,
    /// First name.
    pub first_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Full name.
    pub full_name: Option<String>,
    /// Address of a picture.
    pub image_url: Option<String>,
    /// Mobile phone.
    pub mobile_phone: Option<String>,
    /// Email of a parent.
    pub parent_email: Option<String>,
    /// `YYYY-MM-DD`
    pub birth_date: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
    /// When the account ends.
    pub expiry: Option<UnixMillis>,
    /// What the user reads, best first.
    pub preferred_languages: Json<Vec<Locale>>,
    /// Free data of the client.
    pub data: JsonText,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

rows!(User, users, UserId, seen: seen);

/// Neither being erased, nor of a tenant that is.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn seen() -> _ {
    diesel::dsl::not(users::id.eq_any(users_under_erasure())).and(diesel::dsl::not(
        users::tenant_id.eq_any(tenants_under_erasure()),
    ))
}

/// Columns that follow from others: names as a search compares them.
type Keys = (
    diesel::dsl::Eq<users::first_name_normalized, Option<String>>,
    diesel::dsl::Eq<users::last_name_normalized, Option<String>>,
    diesel::dsl::Eq<users::full_name_normalized, Option<String>>,
);

impl User {
    /// Adds this row.
    ///
    /// # Errors
    /// Those of the database, a duplicate key among them.
    pub fn insert(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        diesel::insert_into(users::table)
            .values((self, self.keys()))
            .execute(connection)?;
        Ok(())
    }

    /// Whether there is this user, who then stays until the transaction ends: whoever erases
    /// one locks the row first.
    pub fn hold(connection: &mut AnyConnection, id: UserId) -> QueryResult<bool> {
        let held = users::table.find(id).select(users::id);
        let held: Option<UserId> = Locking::of(held, RowLock::Reference)
            .get_result(connection)
            .optional()?;
        Ok(held.is_some())
    }

    /// Which of these users there are; they stay until the transaction ends.
    pub fn hold_among(
        connection: &mut AnyConnection,
        ids: HashSet<UserId>,
    ) -> QueryResult<HashSet<UserId>> {
        if ids.is_empty() {
            return Ok(ids);
        }
        let held = users::table
            .filter(users::id.eq_any(ids))
            .order(users::id)
            .select(users::id);
        let held: Vec<UserId> = Locking::of(held, RowLock::Reference).load(connection)?;
        Ok(held.into_iter().collect())
    }

    /// Writes every column of the row with this Id. False: there is none.
    ///
    /// # Errors
    /// Those of the database, a duplicate key among them.
    pub fn update(&self, connection: &mut AnyConnection) -> QueryResult<bool> {
        let rows = diesel::update(users::table.find(self.id))
            .set((self, self.keys()))
            .execute(connection)?;
        Ok(rows == 1)
    }

    fn keys(&self) -> Keys {
        let key = |name: &Option<String>| name.as_deref().map(normalize);
        (
            users::first_name_normalized.eq(key(&self.first_name)),
            users::last_name_normalized.eq(key(&self.last_name)),
            users::full_name_normalized.eq(key(&self.full_name)),
        )
    }

    /// Keeps others from changing or locking this row until the transaction ends. An update
    /// of nothing is the row lock that both databases know.
    pub fn lock(connection: &mut AnyConnection, id: UserId) -> QueryResult<bool> {
        let rows = diesel::update(users::table.find(id))
            .set(users::active.eq(users::active))
            .execute(connection)?;
        Ok(rows == 1)
    }

    /// By email, which is compared in lower case.
    pub fn find_by_email(
        connection: &mut AnyConnection,
        tenant: TenantId,
        email: &str,
    ) -> QueryResult<Option<Self>> {
        users::table
            .filter(users::tenant_id.eq(tenant))
            .filter(users::email.eq(normalize(email)))
            .filter(seen())
            .select(Self::as_select())
            .first(connection)
            .optional()
    }

    /// By username, ignoring case.
    pub fn find_by_username(
        connection: &mut AnyConnection,
        tenant: TenantId,
        username: &str,
    ) -> QueryResult<Option<Self>> {
        users::table
            .filter(users::tenant_id.eq(tenant))
            .filter(users::username_normalized.eq(normalize(username)))
            .filter(seen())
            .select(Self::as_select())
            .first(connection)
            .optional()
    }

    /// Which of these users there are in the tenant, or at all, and how many characters the
    /// free data of each has: what loading them would cost.
    pub fn data_lengths(
        connection: &mut AnyConnection,
        ids: &[UserId],
        tenant: Option<TenantId>,
    ) -> QueryResult<Vec<(UserId, i64)>> {
        let mut query = users::table
            .filter(users::id.eq_any(ids.to_vec()))
            .select((
                users::id,
                diesel::dsl::sql::<BigInt>("CAST(length(data) AS BIGINT)"),
            ))
            .into_boxed();
        if let Some(tenant) = tenant {
            query = query.filter(users::tenant_id.eq(tenant));
        }
        query.load(connection)
    }

    /// How to address the user in a mail: the full name, else first and last name.
    #[must_use]
    pub fn display_name(&self) -> Option<String> {
        if let Some(full) = &self.full_name {
            return Some(full.clone());
        }
        let parts: Vec<&str> = [&self.first_name, &self.last_name]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// Where to mail the user, if that is known.
    #[must_use]
    pub fn mailbox(&self) -> Option<Mailbox> {
        Some(Mailbox {
            address: self.email.clone()?,
            display: self.display_name(),
        })
    }
}
