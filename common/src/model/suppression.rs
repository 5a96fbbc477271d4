//! Addresses that a mail server has refused for good: for a while nobody tries them again.

use diesel::prelude::*;

use super::normalize;
use super::search::Window;
use crate::db::{AnyConnection, MultiBackend, PerBackend};
use crate::id::{DeliveryId, TenantId};
use crate::schema::suppressions;
use crate::unix_millis::UnixMillis;

/// An address that a tenant's mail does not go to.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = suppressions, primary_key(tenant_id, address_normalized), treat_none_as_null = true)]
pub struct Suppression {
    /// Whose mail.
    pub tenant_id: TenantId,
    /// `address`, folded.
    pub address_normalized: String,
    /// The address.
    pub address: String,
    /// The delivery that was refused.
    pub delivery_id: DeliveryId,
    /// What the server answered: the code.
    pub status_code: Option<i32>,
    /// What the server answered.
    pub reason: String,
    /// Since when.
    pub insert_instant: UnixMillis,
    /// Until when.
    pub expiration_instant: UnixMillis,
}

impl Suppression {
    /// Suppresses the address, from now on and as long as this says, whatever was known of
    /// it before. Forgets those that have had their time.
    ///
    /// # Errors
    /// Those of the database; a tenant that is gone among them.
    pub fn put(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        let lapsed = suppressions::expiration_instant.le(self.insert_instant);
        diesel::delete(suppressions::table.filter(lapsed)).execute(connection)?;
        let put = diesel::insert_into(suppressions::table)
            .values(self)
            .on_conflict((suppressions::tenant_id, suppressions::address_normalized))
            .do_update()
            .set(self);
        PerBackend(put).execute(connection)?;
        Ok(())
    }

    /// What is suppressed now of these addresses, in any tenant.
    pub fn of_addresses<'a>(
        connection: &mut AnyConnection,
        addresses: impl IntoIterator<Item = &'a str>,
        now: UnixMillis,
    ) -> QueryResult<Vec<Self>> {
        let keys: Vec<String> = addresses.into_iter().map(normalize).collect();
        suppressions::table
            .filter(suppressions::address_normalized.eq_any(keys))
            .filter(suppressions::expiration_instant.gt(now))
            .select(Self::as_select())
            .load(connection)
    }

    /// How many there are now, of one tenant or of all, and a part of them, the newest first.
    pub fn page(
        connection: &mut AnyConnection,
        tenant: Option<TenantId>,
        now: UnixMillis,
        window: Window,
    ) -> QueryResult<(i64, Vec<Self>)> {
        let wanted = || -> suppressions::BoxedQuery<'static, MultiBackend> {
            let query = suppressions::table
                .filter(suppressions::expiration_instant.gt(now))
                .into_boxed();
            match tenant {
                Some(tenant) => query.filter(suppressions::tenant_id.eq(tenant)),
                None => query,
            }
        };
        let total = wanted().count().get_result(connection)?;
        let found = wanted()
            .order((
                suppressions::insert_instant.desc(),
                suppressions::address_normalized,
                suppressions::tenant_id,
            ))
            .limit(window.results)
            .offset(window.start)
            .select(Self::as_select())
            .load(connection)?;
        Ok((total, found))
    }

    /// Lets mail go to the address again, in one tenant or in all. False: it was not
    /// suppressed.
    pub fn lift(
        connection: &mut AnyConnection,
        tenant: Option<TenantId>,
        address: &str,
        now: UnixMillis,
    ) -> QueryResult<bool> {
        let of_address = suppressions::table
            .filter(suppressions::address_normalized.eq(normalize(address)))
            .filter(suppressions::expiration_instant.gt(now));
        let lifted = match tenant {
            Some(tenant) => diesel::delete(of_address.filter(suppressions::tenant_id.eq(tenant)))
                .execute(connection)?,
            None => diesel::delete(of_address).execute(connection)?,
        };
        Ok(lifted > 0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::db::{Db, DbError};
    use crate::test_support::{self, both_databases};

    both_databases!(
        an_address_is_suppressed_for_its_time,
        a_tenant_does_not_suppress_for_others,
        suppressions_come_in_pages,
    );

    const NOON: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);
    const ALL: Window = Window {
        start: 0,
        results: 25,
    };

    fn write<T: Send + 'static>(
        db: &Db,
        work: impl Fn(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> T {
        db.write_blocking(move |c| Ok::<_, DbError>(work(c)?))
            .unwrap()
    }

    fn tenant(db: &Db, name: &str) -> TenantId {
        let tenant = test_support::tenant(name, &json!({}));
        let id = tenant.id;
        write(db, move |c| tenant.insert(c));
        id
    }

    fn suppress(db: &Db, tenant_id: TenantId, address: &str, at: UnixMillis) {
        let row = Suppression {
            tenant_id,
            address_normalized: normalize(address),
            address: address.to_owned(),
            delivery_id: DeliveryId::sequential(),
            status_code: Some(550),
            reason: "550 5.1.1 no such user".to_owned(),
            insert_instant: at,
            expiration_instant: UnixMillis::from_millis(at.millis() + 1_000),
        };
        write(db, move |c| row.put(c));
    }

    fn suppressed(db: &Db, address: &'static str, after: i64) -> Vec<TenantId> {
        let now = UnixMillis::from_millis(NOON.millis() + after);
        let rows = write(db, move |c| Suppression::of_addresses(c, [address], now));
        rows.iter().map(|row| row.tenant_id).collect()
    }

    fn an_address_is_suppressed_for_its_time(db: &Db) {
        let hooli = tenant(db, "hooli");
        suppress(db, hooli, "Gone@Example.com", NOON);
        assert_eq!(suppressed(db, "gone@example.COM", 999), [hooli]);
        assert_eq!(suppressed(db, "gone@example.com", 1_000), []);
        assert_eq!(suppressed(db, "other@example.com", 0), []);
        suppress(
            db,
            hooli,
            "gone@example.com",
            UnixMillis::from_millis(NOON.millis() + 500),
        );
        assert_eq!(suppressed(db, "gone@example.com", 1_400), [hooli]);
        let lift =
            |address: &'static str| write(db, move |c| Suppression::lift(c, None, address, NOON));
        assert!(lift("GONE@example.com"));
        assert!(!lift("gone@example.com"));
        assert_eq!(suppressed(db, "gone@example.com", 0), []);
    }

    fn a_tenant_does_not_suppress_for_others(db: &Db) {
        let (hooli, piper) = (tenant(db, "hooli"), tenant(db, "piper"));
        suppress(db, hooli, "gone@example.com", NOON);
        assert_eq!(suppressed(db, "gone@example.com", 0), [hooli]);
        let lift = |tenant| {
            write(db, move |c| {
                Suppression::lift(c, Some(tenant), "gone@example.com", NOON)
            })
        };
        assert!(!lift(piper));
        assert!(lift(hooli));
    }

    fn suppressions_come_in_pages(db: &Db) {
        let (hooli, piper) = (tenant(db, "hooli"), tenant(db, "piper"));
        for (index, tenant) in [(1, hooli), (2, piper), (3, hooli)] {
            let at = UnixMillis::from_millis(NOON.millis() + index);
            suppress(db, tenant, &format!("{index}@example.com"), at);
        }
        let page = |tenant, window| {
            let (total, rows) = write(db, move |c| Suppression::page(c, tenant, NOON, window));
            let found: Vec<String> = rows.into_iter().map(|row| row.address).collect();
            (total, found)
        };
        let second = Window {
            start: 1,
            results: 1,
        };
        assert_eq!(page(None, second), (3, vec!["2@example.com".to_owned()]));
        let hoolis = vec!["3@example.com".to_owned(), "1@example.com".to_owned()];
        assert_eq!(page(Some(hooli), ALL), (2, hoolis));
    }
}
