//! Registrations: which users use which applications of their tenant.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::crud;
use crate::db::{AnyConnection, Json, JsonText};
use crate::id::{ApplicationId, RegistrationId, UserId};
use crate::locale::Locale;
use crate::schema::registrations;
use crate::unix_millis::UnixMillis;

/// Users whose registrations are fetched with one query: a database takes so many
/// parameters only.
const USERS_AT_ONCE: usize = 500;

/// A user's registration for an application.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = registrations, treat_none_as_null = true)]
pub struct Registration {
    /// Primary key.
    pub id: RegistrationId,
    /// Whose it is.
    pub user_id: UserId,
    /// For what; unique with the user.
    pub application_id: ApplicationId,
    /// What the user is called there.
    pub username: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
    /// Names of the application's roles.
    pub roles: Json<Vec<String>>,
    /// What the user reads there, best first.
    pub preferred_languages: Json<Vec<Locale>>,
    /// Free data of the client.
    pub data: JsonText,
    /// When the user logged in there last.
    pub last_login_instant: Option<UnixMillis>,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

crud!(Registration, registrations, RegistrationId);

impl Registration {
    /// Removes some of the registrations for an application, and says how many.
    pub fn delete_some(
        connection: &mut AnyConnection,
        application: ApplicationId,
        limit: i64,
    ) -> QueryResult<usize> {
        let some: Vec<RegistrationId> = registrations::table
            .filter(registrations::application_id.eq(application))
            .limit(limit)
            .select(registrations::id)
            .load(connection)?;
        diesel::delete(registrations::table.filter(registrations::id.eq_any(some)))
            .execute(connection)
    }

    /// The registration of a user for an application.
    pub fn find_for(
        connection: &mut AnyConnection,
        user: UserId,
        application: ApplicationId,
    ) -> QueryResult<Option<Self>> {
        registrations::table
            .filter(registrations::user_id.eq(user))
            .filter(registrations::application_id.eq(application))
            .select(Self::as_select())
            .first(connection)
            .optional()
    }

    /// The registrations of a user, oldest first.
    pub fn of_user(connection: &mut AnyConnection, user: UserId) -> QueryResult<Vec<Self>> {
        Self::of_users(connection, &[user])
    }

    /// The registrations of several users, those of each oldest first.
    pub fn of_users(connection: &mut AnyConnection, users: &[UserId]) -> QueryResult<Vec<Self>> {
        let mut found = Vec::new();
        for some in users.chunks(USERS_AT_ONCE) {
            let mut of_some: Vec<Self> = registrations::table
                .filter(registrations::user_id.eq_any(some.to_vec()))
                .order((registrations::insert_instant, registrations::id))
                .select(Self::as_select())
                .load(connection)?;
            found.append(&mut of_some);
        }
        Ok(found)
    }

    /// How many characters the free data of all registrations of these users have.
    pub fn data_length(connection: &mut AnyConnection, users: &[UserId]) -> QueryResult<i64> {
        let mut length = 0_i64;
        for some in users.chunks(USERS_AT_ONCE) {
            let of_some: i64 = registrations::table
                .filter(registrations::user_id.eq_any(some.to_vec()))
                .select(diesel::dsl::sql::<BigInt>(
                    "CAST(coalesce(sum(length(data)), 0) AS BIGINT)",
                ))
                .first(connection)?;
            length = length.saturating_add(of_some);
        }
        Ok(length)
    }

    /// How many bytes the free data of a user's registrations takes, without that for
    /// `application`, with a little for each registration.
    pub fn size_beside(
        connection: &mut AnyConnection,
        user: UserId,
        application: ApplicationId,
    ) -> QueryResult<usize> {
        let others: Vec<JsonText> = registrations::table
            .filter(registrations::user_id.eq(user))
            .filter(registrations::application_id.ne(application))
            .select(registrations::data)
            .load(connection)?;
        let size = |data: &JsonText| data.as_str().len().saturating_add(Self::OVERHEAD);
        Ok(others.iter().map(size).sum())
    }

    /// About what a registration takes without its free data, in bytes.
    pub const OVERHEAD: usize = 512;

    /// Notes a login.
    pub fn note_login(
        connection: &mut AnyConnection,
        id: RegistrationId,
        now: UnixMillis,
    ) -> QueryResult<()> {
        diesel::update(registrations::table.find(id))
            .set(registrations::last_login_instant.eq(Some(now)))
            .execute(connection)?;
        Ok(())
    }
}
