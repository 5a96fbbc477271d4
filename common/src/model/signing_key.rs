//! Keys that sign the bodies of webhooks, and mail.

use diesel::prelude::*;

use super::tenant::Tenant;
use super::{crud, unique};
use crate::db::AnyConnection;
use crate::id::{SigningKeyId, TenantId};
use crate::schema::{signing_keys, webhooks};
use crate::seal::AssociatedData;
use crate::sign::jws::Algorithm;
use crate::unix_millis::UnixMillis;

/// A signing key.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = signing_keys, treat_none_as_null = true)]
pub struct SigningKeyRow {
    /// Primary key.
    pub id: SigningKeyId,
    /// Unique ignoring case.
    pub name: String,
    /// `name`, folded.
    pub name_normalized: String,
    /// What it is for.
    pub algorithm: Algorithm,
    /// What signatures name it by; unique.
    pub kid: String,
    /// In bits.
    pub length: i32,
    /// PEM; none for HMAC.
    pub public_key: Option<String>,
    /// The key itself, sealed. None if only the public part was imported.
    pub private_key: Option<Vec<u8>>,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
    /// The only tenant whose webhooks and mail it signs; none: those of all.
    pub tenant_id: Option<TenantId>,
}

impl SigningKeyRow {
    /// A key of which nothing is known yet.
    #[must_use]
    pub fn blank(id: SigningKeyId, now: UnixMillis) -> Self {
        Self {
            id,
            name: String::new(),
            name_normalized: String::new(),
            algorithm: Algorithm::EdDsa,
            kid: String::new(),
            length: 0,
            public_key: None,
            private_key: None,
            insert_instant: now,
            last_update_instant: now,
            tenant_id: None,
        }
    }
}

crud!(SigningKeyRow, signing_keys, SigningKeyId);
unique!(
    SigningKeyRow,
    signing_keys,
    SigningKeyId,
    /// Whose name this is, ignoring case.
    by_name: name_normalized
);

impl SigningKeyRow {
    /// Where the sealed key belongs.
    #[must_use]
    pub fn key_place(id: SigningKeyId) -> AssociatedData {
        AssociatedData {
            column: "signing_keys.private_key",
            row: id.uuid(),
        }
    }

    /// Whether it may be named by what belongs to this tenant.
    #[must_use]
    pub fn serves(&self, tenant: TenantId) -> bool {
        self.tenant_id.is_none_or(|own| own == tenant)
    }

    /// Removes the keys of a tenant, which goes with all that it has. Webhooks that name one
    /// serve nobody else, and sign no more.
    pub fn delete_of(connection: &mut AnyConnection, tenant: TenantId) -> QueryResult<()> {
        let of_tenant = || signing_keys::table.filter(signing_keys::tenant_id.eq(tenant));
        let ids = || of_tenant().select(signing_keys::id.nullable());
        diesel::update(webhooks::table.filter(webhooks::signing_key_id.eq_any(ids())))
            .set((
                webhooks::signature_enabled.eq(false),
                webhooks::signing_key_id.eq(None::<SigningKeyId>),
            ))
            .execute(connection)?;
        diesel::update(webhooks::table.filter(webhooks::ssl_certificate_key_id.eq_any(ids())))
            .set(webhooks::ssl_certificate_key_id.eq(None::<SigningKeyId>))
            .execute(connection)?;
        diesel::delete(of_tenant()).execute(connection)?;
        Ok(())
    }

    /// Whether a key is already named so in signatures.
    pub fn has_kid(connection: &mut AnyConnection, kid: &str) -> QueryResult<bool> {
        diesel::select(diesel::dsl::exists(
            signing_keys::table.filter(signing_keys::kid.eq(kid)),
        ))
        .get_result(connection)
    }

    /// Whether a webhook names the key, be it switched on or not, or a tenant signs its mail
    /// with it.
    pub fn in_use(connection: &mut AnyConnection, id: SigningKeyId) -> QueryResult<bool> {
        let by_webhook = webhooks::signing_key_id
            .eq(id)
            .or(webhooks::ssl_certificate_key_id.eq(id));
        let in_use: bool = diesel::select(diesel::dsl::exists(webhooks::table.filter(by_webhook)))
            .get_result(connection)?;
        // There are never so many tenants that they could not be looked through.
        let signs_mail = |tenant: &Tenant| tenant.dkim().is_some_and(|dkim| dkim.key == id);
        Ok(in_use || Tenant::all(connection)?.iter().any(signs_mail))
    }
}
