//! What a batch of actions rests on: looked at before, and has to be so still when it is
//! written. That the actionees exist is seen to by the foreign keys.

use std::collections::{BTreeSet, HashMap};

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, BigInt, Bool};
use diesel::{QueryResult, RunQueryDsl};

use super::remembered::{Destinations, KeyInUse, Versions};
use crate::db::bulk::Condition;
use crate::db::{AnyConnection, CachedInList, SqlUuid};
use crate::id::{ApiKeyId, TenantId, UserActionId, WebhookId};
use crate::model::user_action::still_active;
use crate::model::webhook::Webhook;

/// What was looked at.
#[derive(Debug, Default)]
pub(super) struct Basis {
    /// The definitions that are applied.
    pub(super) definitions: BTreeSet<UserActionId>,
    /// The rows of which the versions are known; none of them on SQLite.
    pub(super) versions: Option<Versions>,
    /// The tenants, each with the webhooks that want its events.
    pub(super) destinations: Destinations,
    /// The keys that the actions are asked for with.
    pub(super) keys: Vec<KeyInUse>,
}

impl Basis {
    /// What has to be counted in the statement that writes, on PostgreSQL.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        if let Some(versions) = &self.versions {
            conditions.push(unchanged("tenants", pairs(&versions.tenants)));
            conditions.push(unchanged("user_actions", pairs(&versions.definitions)));
            if !versions.reasons.is_empty() {
                conditions.push(unchanged("user_action_reasons", pairs(&versions.reasons)));
            }
        }
        // By both: of two versions of one key, one is not what there is.
        let version = |in_use: &KeyInUse| Some((in_use.key.id, in_use.version()?));
        let keys: BTreeSet<(ApiKeyId, i64)> = self.keys.iter().filter_map(version).collect();
        if !keys.is_empty() {
            conditions.push(unchanged("api_keys", keys.into_iter()));
        }
        if !self.destinations.is_empty() {
            conditions.push(Condition::new(Differing::from(&self.destinations), 0));
        }
        conditions
    }

    /// The same within the transaction that writes, on SQLite.
    pub(super) fn holds(&self, connection: &mut AnyConnection) -> QueryResult<bool> {
        let definitions: Vec<UserActionId> = self.definitions.iter().copied().collect();
        let few = definitions.len();
        let active = CachedInList::of(few, still_active(definitions));
        let active: i64 = active.get_result(connection)?;
        let tenants: Vec<TenantId> = self.destinations.keys().copied().collect();
        let mut destinations = Webhook::for_user_action_of(connection, &tenants)?;
        for tenant in tenants {
            destinations.entry(tenant).or_default();
        }
        Ok(usize::try_from(active) == Ok(self.definitions.len())
            && destinations == self.destinations)
    }
}

fn pairs<K: Copy>(versions: &HashMap<K, i64>) -> impl Iterator<Item = (K, i64)> {
    versions.iter().map(|(id, version)| (*id, *version))
}

/// All rows of these versions are there. They are not if there is a row of two versions: it
/// counts once.
fn unchanged<K>(table: &'static str, versions: impl Iterator<Item = (K, i64)>) -> Condition
where
    K: 'static,
    Vec<K>: ToSql<Array<SqlUuid>, Pg>,
{
    let (ids, versions): (Vec<K>, Vec<i64>) = versions.unzip();
    let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    let unchanged = Unchanged {
        table,
        ids,
        versions,
    };
    Condition::new(unchanged, count)
}

/// How many rows are of the version that stands beside their Id. By the index: an array that
/// is joined counts as long, and the table would be read.
///
/// Here and in [`Differing`] arrays come as `ARRAY(SELECT unnest(…))`, which PostgreSQL takes
/// for ten elements, whatever is in them. If it could see that there is one, it would plan the
/// whole statement anew each time, for a plan that is no better.
struct Unchanged<K> {
    table: &'static str,
    ids: Vec<K>,
    versions: Vec<i64>,
}

impl<K> QueryFragment<Pg> for Unchanged<K>
where
    Vec<K>: ToSql<Array<SqlUuid>, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM ");
        out.push_sql(self.table);
        out.push_sql(" WHERE id = ANY(ARRAY(SELECT unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql("))) AND xmin::text::bigint = (");
        out.push_bind_param::<Array<BigInt>, _>(&self.versions)?;
        out.push_sql(")[array_position(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql(", id)]");
        Ok(())
    }
}

/// How many webhooks want the events of these tenants and were not found to, or the other way
/// round. `= ANY(ARRAY[…])` leaves the indexes as the one way to go: it must not matter how
/// many webhooks other tenants have.
struct Differing {
    tenants: Vec<TenantId>,
    /// A tenant, a webhook, and whether in order.
    whose: Vec<TenantId>,
    webhooks: Vec<WebhookId>,
    ordered: Vec<bool>,
}

impl From<&Destinations> for Differing {
    fn from(destinations: &Destinations) -> Self {
        let pairs = || {
            let of_tenant = |(tenant, destinations)| std::iter::repeat(tenant).zip(destinations);
            destinations.iter().flat_map(of_tenant)
        };
        Self {
            tenants: destinations.keys().copied().collect(),
            whose: pairs().map(|(tenant, _)| *tenant).collect(),
            webhooks: pairs().map(|(_, (webhook, _))| *webhook).collect(),
            ordered: pairs().map(|(_, (_, ordered))| *ordered).collect(),
        }
    }
}

impl QueryFragment<Pg> for Differing {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT count(*) FROM (
                SELECT tenant, webhooks.id, ordered_by IS NOT NULL
                FROM webhooks CROSS JOIN unnest(",
        );
        out.push_bind_param::<Array<SqlUuid>, _>(&self.tenants)?;
        out.push_sql(
            ") AS tenant WHERE user_action_enabled AND global
                UNION
                SELECT tenant, webhooks.id, ordered_by IS NOT NULL
                FROM unnest(ARRAY(SELECT unnest(",
        );
        out.push_bind_param::<Array<SqlUuid>, _>(&self.tenants)?;
        out.push_sql(
            "))) AS tenant, webhook_tenants, webhooks
                WHERE tenant_id = ANY(ARRAY[tenant]) AND webhooks.id = ANY(ARRAY[webhook_id])
                    AND user_action_enabled
            ) AS wants(tenant, webhook, ordered)
            FULL JOIN unnest(",
        );
        out.push_bind_param::<Array<SqlUuid>, _>(&self.whose)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.webhooks)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.ordered)?;
        out.push_sql(
            ") AS wanted(tenant, webhook, ordered)
            ON wants.tenant = wanted.tenant AND wants.webhook = wanted.webhook
                AND wants.ordered = wanted.ordered
            WHERE wants.webhook IS NULL OR wanted.webhook IS NULL",
        );
        Ok(())
    }
}
