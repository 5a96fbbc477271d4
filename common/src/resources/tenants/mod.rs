//! Tenants. An actor that is locked to one sees and changes that one.

mod email_configuration;
mod event_configuration;
mod failed_authentication;
mod members;
mod password;
mod source;
mod webhook_ids;

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use self::email_configuration::{EmailConfiguration, read_email_configuration};
use self::failed_authentication::read_failed_authentication;
pub use self::members::TENANT;
use self::password::Password;
use self::source::with_source;
use self::webhook_ids::read_webhook_ids;
use super::actor::Context;
use super::error::ResourceError;
use super::field::Field;
use super::input::{Object, read_wrapped};
use super::member::Member;
use super::problem::{Errors, Prefix};
use super::resource::{Resource, Searchable, insert, read_changed, read_new, record, replace};
use super::search::{text, text_criterion};
use crate::db::{AnyConnection, Json};
use crate::erasure::{Erasure, erase_tenant};
use crate::id::{TenantId, WebhookId};
use crate::model::listing::TenantSearch;
use crate::model::lockout::Lockout;
use crate::model::mail_limit::MailLimit;
use crate::model::normalize;
use crate::model::search::{Found, Sort, Window};
use crate::model::tenant::Tenant;
use crate::model::webhook::Webhook;
use crate::outbox::begin_mail_anew;
use crate::seal::Sealer;
use crate::unix_millis::UnixMillis;
use crate::view::{self, Absent, View};

/// A tenant, and what a request says beside its row.
#[derive(Debug)]
pub struct TenantResource {
    /// What is stored of it.
    pub row: Tenant,
    /// A new SMTP password, until it is sealed.
    password: Option<String>,
    /// The webhooks that serve it, if a request names them.
    webhooks: Option<Vec<WebhookId>>,
    /// What it was before.
    stored: Option<Tenant>,
}

impl TenantResource {
    fn of(row: Tenant) -> Self {
        Self {
            row,
            password: None,
            webhooks: None,
            stored: None,
        }
    }

    /// Reads what has a form of its own, and keeps members that Beadle does not know.
    fn read_settings(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
        object: &Object<'_>,
    ) -> Result<Option<String>, ResourceError> {
        let lockout = read_failed_authentication(connection, object)?;
        let is_known = |name: &str| {
            members::MEMBERS
                .iter()
                .any(|known| known.field.name == name)
        };
        let is_kept = |name: &str| !is_known(name) || name == "issuer";
        let mut settings: Map<String, Value> = object
            .members()
            .iter()
            .filter(|(name, value)| !value.is_null() && is_kept(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if let Some(lockout) = lockout {
            let lockout = serde_json::to_value(lockout).map_err(ResourceError::internal)?;
            settings.insert(Lockout::MEMBER.to_owned(), lockout);
        }
        let EmailConfiguration {
            settings: email,
            password,
        } = read_email_configuration(connection, object, context, self)?;
        let events = &self.row.event_configuration.0;
        object.limit_settings(Self::NOUN, &[&settings, &email, events]);
        self.row.email_configuration = Json(email);
        self.row.settings = Json(settings);
        Ok(password)
    }

    fn store_rest(&self, connection: &mut AnyConnection) -> Result<(), ResourceError> {
        MailLimit::put(connection, &self.row)?;
        if let Some(stored) = &self.stored {
            begin_mail_anew(connection, stored, &self.row)?;
        }
        if let Some(webhooks) = &self.webhooks {
            Webhook::set_webhooks_of(connection, self.row.id, webhooks)?;
        }
        Ok(())
    }

    fn seal(&mut self, sealer: &Sealer) -> Result<(), ResourceError> {
        if let Some(password) = self.password.take() {
            let place = Tenant::password_place(self.row.id);
            let sealed = sealer.seal_text(place, &password);
            self.row.smtp_password = Some(sealed.map_err(ResourceError::internal)?);
        }
        Ok(())
    }
}

impl Resource for TenantResource {
    type Id = TenantId;

    const NOUN: &'static str = "tenant";
    const NOUNS: &'static str = "tenants";
    const ID: &'static str = "tenantId";
    const MEMBERS: &'static [Member<Self>] = members::MEMBERS;
    const OWN: &'static [&'static str] = &[
        "/tenant/emailConfiguration/dkim",
        "/tenant/emailConfiguration/listUnsubscribe",
        "/tenant/emailConfiguration/rateLimit",
    ];

    fn blank(id: TenantId, now: UnixMillis, stored: Option<&Self>) -> Self {
        let stored = stored.map(|stored| stored.row.clone());
        Self {
            stored: stored.clone(),
            ..Self::of(Tenant {
                id,
                is_default: stored.as_ref().is_some_and(|stored| stored.is_default),
                insert_instant: stored.map_or(now, |stored| stored.insert_instant),
                last_update_instant: now,
                ..Tenant::default()
            })
        }
    }

    fn id(&self) -> TenantId {
        self.row.id
    }

    fn tenant(&self) -> Option<TenantId> {
        Some(self.row.id)
    }

    fn exists(connection: &mut AnyConnection, id: TenantId) -> Result<bool, ResourceError> {
        Ok(Tenant::exists(connection, id)?)
    }

    fn load(
        connection: &mut AnyConnection,
        _: &Context,
        ids: &[TenantId],
    ) -> Result<Vec<Self>, ResourceError> {
        let rows = Tenant::load(connection, ids)?;
        Ok(rows.into_iter().map(Self::of).collect())
    }

    fn find_for_update(
        connection: &mut AnyConnection,
        _: &Context,
        id: TenantId,
    ) -> Result<Option<Self>, ResourceError> {
        Ok(Tenant::find_for_update(connection, id)?.map(Self::of))
    }

    /// With the members that are only kept.
    fn show(&self) -> View {
        view::tenant(&self.row, Absent::Omit)
    }

    fn changed_secrets(&self, new: &Self) -> Vec<&'static str> {
        let is_same = self.row.smtp_password == new.row.smtp_password;
        let password = (!is_same).then_some("emailConfiguration.password");
        let headers = |tenant: &Self| {
            let settings = &tenant.row.email_configuration.0;
            settings.get("additionalHeaders").cloned()
        };
        let changed = headers(self) != headers(new);
        let headers = changed.then_some("emailConfiguration.additionalHeaders");
        password.into_iter().chain(headers).collect()
    }

    /// With a placeholder for the password, which no answer shows.
    fn document(&self, context: &Context) -> Value {
        let password = self.row.smtp_password.as_ref();
        document_with(self, password.and(context.placeholder.as_deref()))
    }

    fn check(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
        object: &Object<'_>,
        stored: Option<&Self>,
    ) -> Result<(), ResourceError> {
        let row = &mut self.row;
        row.name_normalized = normalize(&row.name);
        let of_other = |other| other != row.id;
        if Tenant::by_name(connection, &row.name)?.is_some_and(of_other) {
            object.refuse(Prefix::Duplicate, "name");
        }
        let password = self.read_settings(connection, context, object)?;
        let Some(stored) = stored else {
            self.password = password;
            return Ok(());
        };
        let password = Password::of(password, context.placeholder.as_deref());
        let stays = password.stays(&stored.row, &self.row, object);
        match password {
            Password::New(password) => self.password = Some(password),
            Password::Untouched | Password::Removed if stays => {
                self.row.smtp_password.clone_from(&stored.row.smtp_password);
            }
            Password::Untouched | Password::Removed => {}
        }
        Ok(())
    }

    fn insert(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError> {
        self.seal(&context.sealer)?;
        self.row.insert(connection)?;
        self.store_rest(connection)
    }

    fn update(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError> {
        self.seal(&context.sealer)?;
        self.row.update(connection)?;
        self.store_rest(connection)
    }

    fn find_for_delete(
        connection: &mut AnyConnection,
        _: &Context,
        id: TenantId,
    ) -> Result<Option<Self>, ResourceError> {
        Ok(Tenant::find_for_delete(connection, id)?.map(Self::of))
    }

    /// Begins the erasure, which workers carry out; see [`delete_tenant`].
    fn delete(
        &self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError> {
        erase(self, connection, context).map(drop)
    }
}

/// The tenant in its wrapper, as a PATCH starts from it and as another tenant is made of it.
fn document_with(tenant: &TenantResource, password: Option<&str>) -> Value {
    let mut object = tenant.show().into_value();
    if let Some(password) = password
        && let Some(Value::Object(settings)) = object.get_mut("emailConfiguration")
    {
        settings.insert("password".to_owned(), Value::from(password));
    }
    json!({TenantResource::NOUN: object})
}

/// The stored SMTP password in the clear.
///
/// # Errors
/// [`ResourceError::Internal`] if it cannot be opened.
pub fn smtp_password(sealer: &Sealer, tenant: &Tenant) -> Result<Option<String>, ResourceError> {
    let Some(sealed) = &tenant.smtp_password else {
        return Ok(None);
    };
    let password = sealer
        .open_text(Tenant::password_place(tenant.id), sealed)
        .map_err(ResourceError::internal)?;
    Ok(Some(password.expose_secret().to_owned()))
}

fn erase(
    tenant: &TenantResource,
    connection: &mut AnyConnection,
    context: &Context,
) -> Result<Erasure, ResourceError> {
    if tenant.row.is_default {
        let mut errors = Errors::default();
        let message = "the default tenant cannot be deleted".to_owned();
        errors.add(Prefix::Invalid, TenantResource::ID, message);
        return Err(errors.into());
    }
    Ok(erase_tenant(connection, tenant.row.id, context.now)?)
}

/// Creates a tenant by what a body says: `tenant`, and beside it `webhookIds` and
/// `sourceTenantId`.
///
/// # Errors
/// [`ResourceError::Invalid`] with everything that is wrong.
pub fn create_tenant(
    connection: &mut AnyConnection,
    context: &Context,
    given: Option<TenantId>,
    members: &Map<String, Value>,
) -> Result<TenantResource, ResourceError> {
    let members = with_source(connection, &context.sealer, members)?;
    let new = read_wrapped(&members, TenantResource::NOUN, |object| {
        let mut new: TenantResource = read_new(connection, context, object, given)?;
        let (errors, id) = (object.errors(), new.row.id);
        new.webhooks = read_webhook_ids(connection, &members, errors, id, context.actor.lock)?;
        Ok::<_, ResourceError>(new)
    })?;
    insert(connection, context, new)
}

/// Replaces a tenant that was found for update by what a body says: `tenant`, and beside it
/// `webhookIds`.
///
/// # Errors
/// [`ResourceError::Invalid`] with everything that is wrong.
pub fn update_tenant(
    connection: &mut AnyConnection,
    context: &Context,
    stored: &TenantResource,
    members: &Map<String, Value>,
) -> Result<TenantResource, ResourceError> {
    let new = read_wrapped(members, TenantResource::NOUN, |object| {
        let mut new = read_changed(connection, context, object, stored)?;
        let (errors, id) = (object.errors(), new.row.id);
        new.webhooks = read_webhook_ids(connection, members, errors, id, context.actor.lock)?;
        Ok::<_, ResourceError>(new)
    })?;
    replace(connection, context, stored, new)
}

/// Begins to erase a tenant with its users and all that was written about them: it does not
/// exist for anybody from now on. The default tenant stays.
///
/// # Errors
/// [`ResourceError::NotFound`], or [`ResourceError::Invalid`] for the default tenant.
pub fn delete_tenant(
    connection: &mut AnyConnection,
    context: &Context,
    id: TenantId,
) -> Result<Erasure, ResourceError> {
    let found = TenantResource::find_for_delete(connection, context, id)?;
    let stored = found.ok_or(ResourceError::NotFound)?;
    let erasure = erase(&stored, connection, context)?;
    // What it was goes with it.
    record::<TenantResource>(connection, context, ("deleted", id), None, None)?;
    Ok(erasure)
}

/// Criteria of the search for tenants.
pub const CRITERIA: &[Field] = &[text("name")];

impl Searchable for TenantResource {
    type Criteria = TenantSearch;

    const ORDER: &'static [&'static str] = &["id", "insertInstant", "name"];
    const DEFAULT_ORDER: &'static str = "name ASC";

    fn read_criteria(criteria: &Object<'_>) -> TenantSearch {
        TenantSearch {
            name: text_criterion(criteria, "name"),
            tenant: None,
        }
    }

    fn search(
        connection: &mut AnyConnection,
        context: &Context,
        criteria: &TenantSearch,
        sorts: &[Sort],
        window: Window,
    ) -> Result<Found<TenantId>, ResourceError> {
        let criteria = TenantSearch {
            tenant: context.actor.lock,
            ..criteria.clone()
        };
        Ok(Tenant::search(connection, &criteria, sorts, window)?)
    }
}
