//! Webhooks: registrations of receivers, and their signing secrets.

use std::collections::BTreeMap;

use diesel::dsl::{not, sql};
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use url::Url;

use super::crud;
use crate::db::sql_type::text_enum;
use crate::db::{
    AnyConnection, CachedInList, Json, JsonText, Locking, PerBackend, RowLock, SqlUuid,
};
use crate::id::{SigningKeyId, TenantId, WebhookId, WebhookSecretId};
use crate::schema::{tenants, webhook_secrets, webhook_tenants, webhooks};
use crate::seal::AssociatedData;
use crate::sign::SigningKey;
use crate::unix_millis::UnixMillis;

text_enum! {
    /// The kind of a signing secret, by its tag in `webhook-signature`.
    SecretKind {
        /// HMAC-SHA256.
        V1 = "v1",
        /// Ed25519.
        V1a = "v1a",
    }
}

impl From<&SigningKey> for SecretKind {
    fn from(key: &SigningKey) -> Self {
        match key {
            SigningKey::V1(_) => Self::V1,
            SigningKey::V1a(_) => Self::V1a,
        }
    }
}

/// A receiver's registration.
#[derive(Debug, Clone, Default, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
pub struct Webhook {
    /// Primary key; also the destination of its deliveries.
    pub id: WebhookId,
    /// Where to POST.
    pub url: String,
    /// For people.
    pub description: Option<String>,
    /// Milliseconds.
    pub connect_timeout: i32,
    /// Milliseconds.
    pub read_timeout: i32,
    /// Serves all tenants.
    pub global: bool,
    /// Event type to whether it is wanted.
    pub events_enabled: Json<BTreeMap<String, bool>>,
    /// `events_enabled["user.action"]`, as a column.
    pub user_action_enabled: bool,
    /// Extra headers, sealed: they often carry tokens. JSON object of strings.
    pub headers: Vec<u8>,
    /// Basic authentication.
    pub http_authentication_username: Option<String>,
    /// Basic authentication, sealed.
    pub http_authentication_password: Option<Vec<u8>>,
    /// Free data of the client.
    pub data: JsonText,
    /// Adds `X-FusionAuth-Signature-JWT`.
    pub signature_enabled: bool,
    /// The key for it.
    pub signing_key_id: Option<SigningKeyId>,
    /// Client certificate as PEM; deprecated.
    pub ssl_certificate: Option<String>,
    /// Client certificate by key.
    pub ssl_certificate_key_id: Option<SigningKeyId>,
    /// Requests a second over all workers.
    pub rate_limit: Option<i32>,
    /// `user`: deliveries of one user arrive in order.
    pub ordered_by: Option<String>,
    /// Told when it is disabled.
    pub contact_email: Option<String>,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

crud!(Webhook, webhooks, WebhookId);

/// Where the URL of a webhook points to, without what may be a secret: of many receivers the
/// path is.
#[must_use]
pub fn origin_of(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| "an address that cannot be read".to_owned(),
        |url| url.origin().ascii_serialization(),
    )
}

impl Webhook {
    /// Where the sealed headers belong.
    #[must_use]
    pub fn headers_place(id: WebhookId) -> AssociatedData {
        AssociatedData {
            column: "webhooks.headers",
            row: id.uuid(),
        }
    }

    /// Where the sealed password belongs.
    #[must_use]
    pub fn password_place(id: WebhookId) -> AssociatedData {
        AssociatedData {
            column: "webhooks.http_authentication_password",
            row: id.uuid(),
        }
    }

    /// These webhooks, each with its secrets that are live at `now`, newest first: all that
    /// is needed to send to them, at once.
    pub fn with_live_secrets(
        connection: &mut AnyConnection,
        ids: &[WebhookId],
        now: UnixMillis,
    ) -> QueryResult<Vec<(Self, Vec<WebhookSecretRow>)>> {
        let live = webhook_secrets::expiration_instant
            .is_null()
            .or(webhook_secrets::expiration_instant.gt(now));
        let of_webhook = webhook_secrets::webhook_id.eq(webhooks::id);
        let rows = webhooks::table
            .left_join(webhook_secrets::table.on(of_webhook.and(live)))
            .filter(webhooks::id.eq_any(ids.to_vec()))
            .order((
                webhooks::id,
                webhook_secrets::insert_instant.desc(),
                webhook_secrets::id.desc(),
            ))
            .select((Self::as_select(), Option::<WebhookSecretRow>::as_select()));
        let rows: Vec<(Self, Option<WebhookSecretRow>)> =
            CachedInList::of(ids.len(), rows).load(connection)?;
        let mut webhooks: Vec<(Self, Vec<WebhookSecretRow>)> = Vec::new();
        for (webhook, secret) in rows {
            match webhooks.last_mut() {
                Some((last, secrets)) if last.id == webhook.id => secrets.extend(secret),
                _ => webhooks.push((webhook, secret.into_iter().collect())),
            }
        }
        Ok(webhooks)
    }

    /// The tenants of a webhook that is not global.
    pub fn tenants(connection: &mut AnyConnection, id: WebhookId) -> QueryResult<Vec<TenantId>> {
        webhook_tenants::table
            .filter(webhook_tenants::webhook_id.eq(id))
            .order(webhook_tenants::tenant_id)
            .select(webhook_tenants::tenant_id)
            .load(connection)
    }

    /// The tenants of these webhooks, sorted.
    pub fn tenants_of(
        connection: &mut AnyConnection,
        ids: &[WebhookId],
    ) -> QueryResult<Vec<(WebhookId, TenantId)>> {
        webhook_tenants::table
            .filter(webhook_tenants::webhook_id.eq_any(ids.to_vec()))
            .order((webhook_tenants::webhook_id, webhook_tenants::tenant_id))
            .select((webhook_tenants::webhook_id, webhook_tenants::tenant_id))
            .load(connection)
    }

    /// Replaces the tenants of a webhook, by those of these that exist.
    pub fn set_tenants(
        connection: &mut AnyConnection,
        id: WebhookId,
        of: &[TenantId],
    ) -> QueryResult<()> {
        diesel::delete(webhook_tenants::table.filter(webhook_tenants::webhook_id.eq(id)))
            .execute(connection)?;
        let existing = tenants::table
            .filter(tenants::id.eq_any(of.to_vec()))
            .select((id.into_sql::<SqlUuid>(), tenants::id));
        diesel::insert_into(webhook_tenants::table)
            .values(existing)
            .into_columns((webhook_tenants::webhook_id, webhook_tenants::tenant_id))
            .execute(connection)?;
        Ok(())
    }

    /// Replaces the webhooks of a tenant that serve only some tenants, by those of these that
    /// exist. A webhook whose tenants change is changed itself: whoever does so at the same
    /// time has its row locked.
    pub fn set_webhooks_of(
        connection: &mut AnyConnection,
        tenant: TenantId,
        ids: &[WebhookId],
    ) -> QueryResult<()> {
        let of_tenant = webhook_tenants::table.filter(webhook_tenants::tenant_id.eq(tenant));
        let tied = of_tenant.select(webhook_tenants::webhook_id);
        let changing = webhooks::table
            .filter(webhooks::id.eq_any(ids.to_vec()))
            .or_filter(webhooks::id.eq_any(tied))
            .order(webhooks::id)
            .select(webhooks::id);
        let _: Vec<WebhookId> = Locking::of(changing, RowLock::Update).load(connection)?;
        diesel::delete(of_tenant).execute(connection)?;
        let existing = webhooks::table
            .filter(webhooks::id.eq_any(ids.to_vec()))
            .select((webhooks::id, tenant.into_sql::<SqlUuid>()));
        diesel::insert_into(webhook_tenants::table)
            .values(existing)
            .into_columns((webhook_tenants::webhook_id, webhook_tenants::tenant_id))
            .execute(connection)?;
        Ok(())
    }

    /// The webhooks that want `user.action` events of a tenant.
    pub fn for_user_action(
        connection: &mut AnyConnection,
        tenant: TenantId,
    ) -> QueryResult<Vec<WebhookId>> {
        let wanting = Self::for_user_action_in_order(connection, tenant)?;
        Ok(wanting.into_iter().map(|(id, _)| id).collect())
    }

    /// The same, each with whether it wants those of one user in their order.
    pub fn for_user_action_in_order(
        connection: &mut AnyConnection,
        tenant: TenantId,
    ) -> QueryResult<Vec<(WebhookId, bool)>> {
        let mut wanting = Self::for_user_action_of(connection, &[tenant])?;
        Ok(wanting.remove(&tenant).unwrap_or_default())
    }

    /// The same for each of these tenants, which must differ.
    pub fn for_user_action_of(
        connection: &mut AnyConnection,
        tenants: &[TenantId],
    ) -> QueryResult<BTreeMap<TenantId, Vec<(WebhookId, bool)>>> {
        // Apart from each other: no index serves both, and those of other tenants would be
        // read as well.
        let of_tenants = webhook_tenants::table
            .inner_join(webhooks::table.on(webhooks::id.eq(webhook_tenants::webhook_id)))
            .filter(webhook_tenants::tenant_id.eq_any(tenants.to_vec()))
            .filter(webhooks::user_action_enabled)
            // A global webhook may name tenants as well.
            .filter(not(webhooks::global))
            .select((
                webhooks::id,
                webhooks::ordered_by.is_not_null(),
                webhook_tenants::tenant_id.nullable(),
            ));
        let of_all = webhooks::table
            .filter(webhooks::global)
            .filter(webhooks::user_action_enabled)
            .select((
                webhooks::id,
                webhooks::ordered_by.is_not_null(),
                sql::<Nullable<SqlUuid>>("NULL"),
            ));
        let rows: Vec<(WebhookId, bool, Option<TenantId>)> =
            CachedInList::of(tenants.len(), PerBackend(of_tenants.union_all(of_all)))
                .load(connection)?;
        let mut wanting: BTreeMap<TenantId, Vec<(WebhookId, bool)>> = BTreeMap::new();
        for (id, ordered, tenant) in rows {
            let whose = tenant.as_ref().map_or(tenants, std::slice::from_ref);
            for tenant in whose {
                wanting.entry(*tenant).or_default().push((id, ordered));
            }
        }
        wanting.values_mut().for_each(|of| of.sort_unstable());
        Ok(wanting)
    }
}

/// One signing secret of a webhook.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_secrets)]
pub struct WebhookSecretRow {
    /// Primary key.
    pub id: WebhookSecretId,
    /// Whose it is.
    pub webhook_id: WebhookId,
    /// Which algorithm.
    pub kind: SecretKind,
    /// Sealed text (`whsec_…` or `whsk_…`); see [`WebhookSecretRow::place`].
    pub secret: Vec<u8>,
    /// When it was made; the newest signs first.
    pub insert_instant: UnixMillis,
    /// When it stops signing.
    pub expiration_instant: Option<UnixMillis>,
    /// What receivers verify with (`whpk_…`), if it is a pair.
    pub public_key: Option<String>,
}

impl WebhookSecretRow {
    /// Where the sealed secret belongs.
    #[must_use]
    pub fn place(id: WebhookSecretId) -> AssociatedData {
        AssociatedData {
            column: "webhook_secrets.secret",
            row: id.uuid(),
        }
    }

    /// The secrets of several webhooks that are live at `now`, newest first.
    pub fn live_of(
        connection: &mut AnyConnection,
        webhooks: &[WebhookId],
        now: UnixMillis,
    ) -> QueryResult<Vec<Self>> {
        webhook_secrets::table
            .filter(webhook_secrets::webhook_id.eq_any(webhooks.to_vec()))
            .filter(
                webhook_secrets::expiration_instant
                    .is_null()
                    .or(webhook_secrets::expiration_instant.gt(now)),
            )
            .order((
                webhook_secrets::insert_instant.desc(),
                webhook_secrets::id.desc(),
            ))
            .select(Self::as_select())
            .load(connection)
    }

    /// The pairs of all webhooks that are live at `now`, newest first.
    pub fn live_pairs(connection: &mut AnyConnection, now: UnixMillis) -> QueryResult<Vec<Self>> {
        webhook_secrets::table
            .filter(webhook_secrets::public_key.is_not_null())
            .filter(
                webhook_secrets::expiration_instant
                    .is_null()
                    .or(webhook_secrets::expiration_instant.gt(now)),
            )
            .order((
                webhook_secrets::insert_instant.desc(),
                webhook_secrets::id.desc(),
            ))
            .select(Self::as_select())
            .load(connection)
    }

    /// Ends the secrets of a webhook that have no end yet.
    pub fn expire_current(
        connection: &mut AnyConnection,
        webhook: WebhookId,
        end: UnixMillis,
    ) -> QueryResult<()> {
        let current = webhook_secrets::table
            .filter(webhook_secrets::webhook_id.eq(webhook))
            .filter(webhook_secrets::expiration_instant.is_null());
        diesel::update(current)
            .set(webhook_secrets::expiration_instant.eq(end))
            .execute(connection)?;
        Ok(())
    }

    /// Adds this secret.
    pub fn insert(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        diesel::insert_into(webhook_secrets::table)
            .values(self)
            .execute(connection)?;
        Ok(())
    }
}
