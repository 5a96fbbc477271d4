//! Tenants.

use diesel::prelude::*;
use serde_json::{Map, Value};

use super::erased::tenants_under_erasure;
use super::{crud, unique};
use crate::db::{AnyConnection, CachedInList, Json, JsonText};
use crate::id::{SigningKeyId, TenantId};
use crate::schema::tenants;
use crate::seal::AssociatedData;
use crate::unix_millis::UnixMillis;

/// `emailConfiguration.dkim`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimSetting {
    /// The domain that signs.
    pub domain: String,
    /// Where below it the public key is published.
    pub selector: String,
    /// What it signs with.
    pub key: SigningKeyId,
}

/// A tenant.
#[derive(Debug, Clone, Default, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tenants, treat_none_as_null = true)]
pub struct Tenant {
    /// Primary key.
    pub id: TenantId,
    /// Unique ignoring case.
    pub name: String,
    /// `name`, folded.
    pub name_normalized: String,
    /// The one that a fresh database starts with.
    pub is_default: bool,
    /// Free data of the client.
    pub data: JsonText,
    /// `tenant.emailConfiguration` as the API shows it, without the password.
    pub email_configuration: Json<Map<String, Value>>,
    /// Sealed; see [`Tenant::password_place`].
    pub smtp_password: Option<Vec<u8>>,
    /// `tenant.eventConfiguration` as the API shows it.
    pub event_configuration: Json<Map<String, Value>>,
    /// Further members of the API, stored without effect.
    pub settings: Json<Map<String, Value>>,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

crud!(Tenant, tenants, TenantId, seen: seen);

/// Not being erased.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn seen() -> _ {
    diesel::dsl::not(tenants::id.eq_any(tenants_under_erasure()))
}

unique!(
    Tenant,
    tenants,
    TenantId,
    /// Whose name this is, ignoring case.
    by_name: name_normalized
);

impl Tenant {
    /// Where the sealed SMTP password belongs.
    #[must_use]
    pub fn password_place(id: TenantId) -> AssociatedData {
        AssociatedData {
            column: "tenants.smtp_password",
            row: id.uuid(),
        }
    }

    /// The tenant that a fresh database starts with.
    pub fn default_tenant(connection: &mut AnyConnection) -> QueryResult<Option<Self>> {
        tenants::table
            .filter(tenants::is_default.eq(true))
            .select(Self::as_select())
            .first(connection)
            .optional()
    }

    /// Those of these tenants that exist.
    pub fn existing_among(
        connection: &mut AnyConnection,
        ids: Vec<TenantId>,
    ) -> QueryResult<Vec<TenantId>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let few = ids.len();
        let existing = tenants::table
            .filter(tenants::id.eq_any(ids))
            .filter(seen())
            .select(tenants::id);
        CachedInList::of(few, existing).load(connection)
    }

    /// Keeps others from changing or locking this row until the transaction ends. An update
    /// of nothing is the row lock that both databases know.
    pub fn lock(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        diesel::update(tenants::table.find(self.id))
            .set(tenants::is_default.eq(self.is_default))
            .execute(connection)?;
        Ok(())
    }

    /// How many tenants there are.
    pub fn count(connection: &mut AnyConnection) -> QueryResult<i64> {
        tenants::table.filter(seen()).count().get_result(connection)
    }

    /// Whether an event type is switched on for this tenant.
    #[must_use]
    pub fn event_enabled(&self, event_type: &str) -> bool {
        self.event_setting(event_type, "enabled")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// The transaction type of an event type, if the tenant sets one.
    #[must_use]
    pub fn transaction_type(&self, event_type: &str) -> Option<&str> {
        self.event_setting(event_type, "transactionType")?.as_str()
    }

    fn event_setting(&self, event_type: &str, name: &str) -> Option<&Value> {
        self.event_configuration
            .0
            .get("events")?
            .get(event_type)?
            .get(name)
    }

    /// What signs this tenant's mail, if anything does.
    #[must_use]
    pub fn dkim(&self) -> Option<DkimSetting> {
        let setting = self.email_configuration.0.get("dkim")?;
        let text = |name| setting.get(name)?.as_str();
        Some(DkimSetting {
            domain: text("domain")?.to_owned(),
            selector: text("selector")?.to_owned(),
            key: text("keyId")?.parse().ok()?,
        })
    }

    /// How many mails a second the tenant's own mail server takes, if it says so.
    #[must_use]
    pub fn mail_rate_limit(&self) -> Option<i32> {
        self.email_setting("host")?;
        let limit = self.email_configuration.0.get("rateLimit")?.as_i64()?;
        i32::try_from(limit).ok().filter(|limit| *limit > 0)
    }

    /// A text of `emailConfiguration`, if it is there and not empty.
    #[must_use]
    pub fn email_setting(&self, name: &str) -> Option<&str> {
        let text = self.email_configuration.0.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }
}
