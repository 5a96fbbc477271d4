//! Searches and lists of what people configure. Each finds Ids; whoever shows the rows loads
//! them by and by, since one may be as large as a request.

use diesel::prelude::*;

use super::api_key::ApiKey;
use super::application::{self, Application};
use super::email_template::EmailTemplate;
use super::normalize;
use super::reason::Reason;
use super::search::{Column, Found, Sort, Window, found, like, order, pattern};
use super::signing_key::SigningKeyRow;
use super::tenant::{self, Tenant};
use super::user_action::UserAction;
use super::webhook::Webhook;
use crate::db::{AnyConnection, MultiBackend};
use crate::id::{
    ApiKeyId, ApplicationId, EmailTemplateId, ReasonId, SigningKeyId, TenantId, UserActionId,
    WebhookId,
};
use crate::schema::{
    api_keys, applications, email_templates, signing_keys, tenants, user_action_reasons,
    user_actions, webhook_tenants, webhooks,
};

/// Which tenants to find.
#[derive(Debug, Clone, Default)]
pub struct TenantSearch {
    /// In the name, read as [`pattern`] says.
    pub name: Option<String>,
    /// This one only.
    pub tenant: Option<TenantId>,
}

/// Which API keys to find.
#[derive(Debug, Clone, Default)]
pub struct ApiKeySearch {
    /// In the name, read as [`pattern`] says.
    pub name: Option<String>,
    /// Those that are locked to this tenant.
    pub tenant: Option<TenantId>,
    /// The same, by whoever asks.
    pub lock: Option<TenantId>,
}

/// Which email templates to find.
#[derive(Debug, Clone, Default)]
pub struct TemplateSearch {
    /// In the name, read as [`pattern`] says.
    pub name: Option<String>,
}

/// Which webhooks to find.
#[derive(Debug, Clone, Default)]
pub struct WebhookSearch {
    /// In the description, read as [`pattern`] says.
    pub description: Option<String>,
    /// In the URL, read as [`pattern`] says.
    pub url: Option<String>,
    /// Those of this tenant, and the global ones.
    pub tenant: Option<TenantId>,
}

impl Tenant {
    /// Which tenants meet the criteria. Sorts by `id`, `insertInstant` and `name`.
    pub fn search(
        connection: &mut AnyConnection,
        search: &TenantSearch,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<Found<TenantId>> {
        let order = order(sorts, named, "name_normalized, id");
        Ok(found!(
            connection,
            search.query(),
            tenants::id,
            order,
            window
        ))
    }
}

impl TenantSearch {
    fn query(&self) -> tenants::BoxedQuery<'static, MultiBackend> {
        let mut query = tenants::table.into_boxed().filter(tenant::seen());
        if let Some(name) = &self.name {
            let name = pattern(&normalize(name));
            query = query.filter(tenants::name_normalized.like(name).escape('\\'));
        }
        if let Some(tenant) = self.tenant {
            query = query.filter(tenants::id.eq(tenant));
        }
        query
    }
}

impl ApiKey {
    /// Which keys meet the criteria. Sorts by `id`, `insertInstant` and `name`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn search(
        connection: &mut AnyConnection,
        search: &ApiKeySearch,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<Found<ApiKeyId>> {
        let column = |field: &str| match field {
            "name" => Some(Column::Always("coalesce(name_normalized, '')")),
            field => named(field),
        };
        let order = order(sorts, column, "coalesce(name_normalized, ''), id");
        Ok(found!(
            connection,
            search.query(),
            api_keys::id,
            order,
            window
        ))
    }
}

impl ApiKeySearch {
    fn query(&self) -> api_keys::BoxedQuery<'static, MultiBackend> {
        let mut query = api_keys::table.into_boxed();
        if let Some(name) = &self.name {
            let name = pattern(&normalize(name));
            query = query.filter(api_keys::name_normalized.like(name).escape('\\'));
        }
        for tenant in [self.tenant, self.lock].into_iter().flatten() {
            query = query.filter(api_keys::tenant_id.eq(tenant));
        }
        query
    }
}

impl EmailTemplate {
    /// Which templates meet the criteria. Sorts by `id`, `insertInstant` and `name`.
    pub fn search(
        connection: &mut AnyConnection,
        search: &TemplateSearch,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<Found<EmailTemplateId>> {
        let order = order(sorts, named, "name_normalized, id");
        Ok(found!(
            connection,
            search.query(),
            email_templates::id,
            order,
            window
        ))
    }
}

impl TemplateSearch {
    fn query(&self) -> email_templates::BoxedQuery<'static, MultiBackend> {
        let query = email_templates::table.into_boxed();
        let Some(name) = &self.name else {
            return query;
        };
        let name = pattern(&normalize(name));
        query.filter(email_templates::name_normalized.like(name).escape('\\'))
    }
}

/// The columns of tables whose rows have a name.
fn named(field: &str) -> Option<Column> {
    match field {
        "id" => Some(Column::Always("id")),
        "insertInstant" => Some(Column::Always("insert_instant")),
        "name" => Some(Column::Always("name_normalized")),
        _ => None,
    }
}

impl Webhook {
    /// Which webhooks meet the criteria. Sorts by `description`, `id`, `insertInstant` and
    /// `url`, then the newest first.
    pub fn search(
        connection: &mut AnyConnection,
        search: &WebhookSearch,
        sorts: &[Sort],
        window: Window,
    ) -> QueryResult<Found<WebhookId>> {
        let column = |field: &str| match field {
            "description" => Some(Column::Always("lower(coalesce(description, ''))")),
            "id" => Some(Column::Always("id")),
            "insertInstant" => Some(Column::Always("insert_instant")),
            "url" => Some(Column::Always("lower(url)")),
            _ => None,
        };
        let order = order(sorts, column, "insert_instant DESC, id DESC");
        Ok(found!(
            connection,
            search.query(),
            webhooks::id,
            order,
            window
        ))
    }
}

impl WebhookSearch {
    fn query(&self) -> webhooks::BoxedQuery<'static, MultiBackend> {
        let mut query = webhooks::table.into_boxed();
        if let Some(description) = &self.description {
            query = query.filter(like!(webhooks::description, description));
        }
        if let Some(url) = &self.url {
            query = query.filter(like!(webhooks::url, url));
        }
        if let Some(tenant) = self.tenant {
            let own = webhook_tenants::table
                .filter(webhook_tenants::tenant_id.eq(tenant))
                .select(webhook_tenants::webhook_id);
            query = query.filter(webhooks::global.eq(true).or(webhooks::id.eq_any(own)));
        }
        query
    }
}

impl Application {
    /// The active applications of a tenant or of all, or the inactive ones, by name.
    pub fn ids_by_name(
        connection: &mut AnyConnection,
        tenant: Option<TenantId>,
        active: bool,
    ) -> QueryResult<Vec<ApplicationId>> {
        let query = applications::table
            .filter(application::seen())
            .filter(applications::active.eq(active))
            .order((applications::name_normalized, applications::id))
            .select(applications::id)
            .into_boxed();
        match tenant {
            Some(tenant) => query
                .filter(applications::tenant_id.eq(tenant))
                .load(connection),
            None => query.load(connection),
        }
    }
}

impl UserAction {
    /// The definitions by name: all, or only the inactive ones.
    pub fn ids_by_name(
        connection: &mut AnyConnection,
        inactive_only: bool,
    ) -> QueryResult<Vec<UserActionId>> {
        let query = user_actions::table
            .order((user_actions::name_normalized, user_actions::id))
            .select(user_actions::id)
            .into_boxed();
        match inactive_only {
            true => query
                .filter(user_actions::active.eq(false))
                .load(connection),
            false => query.load(connection),
        }
    }
}

impl Reason {
    /// All reasons by their text.
    pub fn ids_by_text(connection: &mut AnyConnection) -> QueryResult<Vec<ReasonId>> {
        user_action_reasons::table
            .order((
                user_action_reasons::text_normalized,
                user_action_reasons::id,
            ))
            .select(user_action_reasons::id)
            .load(connection)
    }
}

impl SigningKeyRow {
    /// All keys by name, or those that serve a tenant.
    pub fn ids_by_name(
        connection: &mut AnyConnection,
        tenant: Option<TenantId>,
    ) -> QueryResult<Vec<SigningKeyId>> {
        let query = signing_keys::table
            .order((signing_keys::name_normalized, signing_keys::id))
            .select(signing_keys::id)
            .into_boxed();
        let Some(tenant) = tenant else {
            return query.load(connection);
        };
        let own = signing_keys::tenant_id.eq(tenant);
        let serving = signing_keys::tenant_id.is_null().or(own);
        query.filter(serving).load(connection)
    }
}
