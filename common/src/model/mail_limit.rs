//! How many mails a second tenants' mail servers take.

use diesel::prelude::*;

use super::tenant::Tenant;
use crate::db::AnyConnection;
use crate::id::{DestinationId, TenantId, mail_destination};
use crate::schema::mail_limits;

/// What a tenant says that its mail server takes. It slows down nobody else, even if others
/// use the same server.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = mail_limits)]
pub struct MailLimit {
    /// The tenant's mail.
    pub destination: DestinationId,
    /// Who says so.
    pub tenant_id: TenantId,
    /// Mails a second, over all workers.
    pub rate_limit: i32,
}

impl MailLimit {
    /// Writes what this tenant says now, over what it said before. Nothing of a tenant
    /// without a server of its own.
    pub fn put(connection: &mut AnyConnection, tenant: &Tenant) -> QueryResult<()> {
        diesel::delete(mail_limits::table.filter(mail_limits::tenant_id.eq(tenant.id)))
            .execute(connection)?;
        let Some(rate_limit) = tenant.mail_rate_limit() else {
            return Ok(());
        };
        let limit = Self {
            destination: mail_destination(tenant.id),
            tenant_id: tenant.id,
            rate_limit,
        };
        diesel::insert_into(mail_limits::table)
            .values(&limit)
            .execute(connection)?;
        Ok(())
    }

    /// What is said of these tenants' mail.
    pub fn of_destinations(
        connection: &mut AnyConnection,
        destinations: &[DestinationId],
    ) -> QueryResult<Vec<Self>> {
        mail_limits::table
            .filter(mail_limits::destination.eq_any(destinations.to_vec()))
            .select(Self::as_select())
            .load(connection)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::db::Db;
    use crate::deliveries::Details;
    use crate::id::{DeliveryId, EmailId};
    use crate::outbox::{Kind, NewDelivery, Payload, claim, insert, next_due};
    use crate::test_support::{self, both_databases, claim_request, write};
    use crate::unix_millis::UnixMillis;

    both_databases!(
        a_mail_server_is_given_no_more_than_its_tenant_says,
        a_limit_is_for_its_tenant_alone_whoever_uses_the_same_server,
        a_tenant_without_a_server_of_its_own_limits_nobody,
    );

    const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

    fn tenant(db: &Db, name: &str, email_configuration: Value) -> Tenant {
        let tenant = test_support::tenant(name, &email_configuration);
        let stored = tenant.clone();
        write(db, move |c| {
            stored.insert(c)?;
            MailLimit::put(c, &stored)
        });
        tenant
    }

    /// So many mails, and one that is due after them all.
    fn owe(db: &Db, tenant: &Tenant, mails: usize) -> DeliveryId {
        let destination = mail_destination(tenant.id);
        let delivery = move |_| NewDelivery {
            id: DeliveryId::sequential(),
            destination,
            payload: Payload::Email(EmailId::sequential(), "reader@example.com".to_owned()),
            due_at: UnixMillis::from_millis(NOW.millis() - 1000),
            insert_instant: NOW,
        };
        write(db, move |c| {
            (0..mails)
                .map(delivery)
                .try_for_each(|delivery| insert(c, &delivery))?;
            let waiting = NewDelivery {
                due_at: NOW,
                ..delivery(0)
            };
            insert(c, &waiting)?;
            Ok(waiting.id)
        })
    }

    /// How many mails are claimed so many milliseconds later.
    fn claimed(db: &Db, millis: u64) -> usize {
        let now = NOW.plus(Duration::from_millis(millis));
        let request = claim_request(Kind::Email, now, 100);
        write(db, move |c| claim(c, &request)).len()
    }

    fn a_mail_server_is_given_no_more_than_its_tenant_says(db: &Db) {
        let mut piper = tenant(
            db,
            "piper",
            json!({"host": "mail.piper.example", "username": "piper", "rateLimit": 4}),
        );
        let hooli = json!({"host": "mail.piper.example", "username": "piper"});
        let hooli = tenant(db, "hooli", hooli);
        let last = owe(db, &piper, 19);
        owe(db, &hooli, 19);
        assert_eq!(claimed(db, 0), 4 + 20);
        let details = write(db, move |c| Details::find(c, last)).unwrap();
        let told = details.explanation(NOW);
        assert!(
            told.contains("its mail server takes 4 mails a second"),
            "{told}"
        );
        assert_eq!(claimed(db, 249), 0);
        let next = write(db, |c| next_due(c, Kind::Email, NOW, &[]));
        assert_eq!(next, Some(NOW.plus(Duration::from_millis(250))));
        assert_eq!(claimed(db, 250), 1);
        assert_eq!(claimed(db, 750), 2);

        piper.email_configuration.0.remove("rateLimit");
        write(db, move |c| MailLimit::put(c, &piper));
        assert_eq!(claimed(db, 750), 13);
    }

    fn a_limit_is_for_its_tenant_alone_whoever_uses_the_same_server(db: &Db) {
        let limited = |limit| json!({"host": "Relay.example", "port": 25, "rateLimit": limit});
        let piper = tenant(db, "piper", limited(1));
        let hooli = tenant(db, "hooli", limited(9));
        let free = tenant(db, "free", json!({"host": "relay.example", "port": 25}));
        let default = tenant(db, "default", json!({}));
        for tenant in [&piper, &hooli, &free, &default] {
            owe(db, tenant, 19);
        }
        assert_eq!(claimed(db, 0), 1 + 9 + 20 + 20);
    }

    fn a_tenant_without_a_server_of_its_own_limits_nobody(db: &Db) {
        let piper = tenant(db, "piper", json!({"rateLimit": 1}));
        owe(db, &piper, 4);
        assert_eq!(claimed(db, 0), 5);
    }
}
