//! Destinations of mail: one for each tenant. What its recipients, its server or its settings bring
//! about makes nobody rest, wait or slow down but itself.

use diesel::QueryResult;

use super::health::DestinationState;
use crate::db::AnyConnection;
use crate::id::mail_destination;
use crate::model::tenant::Tenant;

/// Forgets how the tenant's mail fared if it goes to another server now, or with another login.
pub fn begin_mail_anew(
    connection: &mut AnyConnection,
    before: &Tenant,
    now: &Tenant,
) -> QueryResult<()> {
    let same = |name| before.email_configuration.0.get(name) == now.email_configuration.0.get(name);
    let same_server = ["host", "port", "security", "username"]
        .into_iter()
        .all(same);
    if same_server && before.smtp_password == now.smtp_password {
        return Ok(());
    }
    DestinationState::forget(connection, mail_destination(now.id))
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::db::Db;
    use crate::id::{DestinationId, TenantId};
    use crate::model::mail_limit::MailLimit;
    use crate::schema::destination_states;
    use crate::test_support::{self, both_databases, write};

    both_databases!(mail_to_another_server_begins_anew,);

    /// A tenant with a limit, and a destination of its mail that rests.
    fn tenant(db: &Db) -> TenantId {
        let tenant = test_support::tenant("piper", &json!({"host": "a.example", "rateLimit": 5}));
        let id = tenant.id;
        let mut state = DestinationState::healthy(mail_destination(id));
        state.failures = 3;
        write(db, move |c| {
            tenant.insert(c)?;
            MailLimit::put(c, &tenant)?;
            state.save(c)
        });
        id
    }

    fn mail_to_another_server_begins_anew(db: &Db) {
        let id = tenant(db);
        let other = DestinationState {
            failures: 3,
            ..DestinationState::healthy(DestinationId::random())
        };
        let before = write(db, move |c| {
            other.save(c)?;
            Tenant::find(c, id)
        });
        let before = before.unwrap();
        for (member, value, left) in [
            ("rateLimit", json!(7), 2),
            ("host", json!("b.example"), 1),
            ("port", json!(26), 1),
            ("username", json!("piper"), 1),
        ] {
            let (before, mut now) = (before.clone(), before.clone());
            now.email_configuration.0.insert(member.to_owned(), value);
            let mut state = DestinationState::healthy(mail_destination(id));
            state.failures = 3;
            let found = write(db, move |c| {
                state.save(c)?;
                begin_mail_anew(c, &before, &now)?;
                destination_states::table.count().get_result::<i64>(c)
            });
            assert_eq!(found, left, "{member}");
        }
    }
}
