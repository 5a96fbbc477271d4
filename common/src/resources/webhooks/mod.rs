//! Webhooks, the registrations of receivers.

mod check;
mod headers;
mod members;
mod secrets;

use std::collections::HashMap;

use self::headers::Headers;
pub use self::members::WEBHOOK;
pub use self::secrets::{ROTATION, rotate_secret};
use super::actor::Context;
use super::error::ResourceError;
use super::field::{Field, Kind, given};
use super::input::Object;
use super::member::Member;
use super::resource::{Resource, Searchable, find, record};
use super::search::{text, text_criterion};
use crate::db::AnyConnection;
use crate::id::{DestinationId, TenantId, WebhookId};
use crate::model::listing::WebhookSearch;
use crate::model::search::{Found, Sort, Window};
use crate::model::webhook::{SecretKind, Webhook};
use crate::outbox::{self, DestinationState, destination_state, destination_states};
use crate::seal::Sealer;
use crate::sign::SigningKey;
use crate::unix_millis::UnixMillis;

/// A webhook, and what is shown with it.
#[derive(Debug)]
pub struct WebhookResource {
    /// What is stored of it, but for `sealed` members.
    pub row: Webhook,
    /// Whom it serves, unless it serves all.
    pub tenants: Vec<TenantId>,
    /// How it fares.
    pub destination: DestinationState,
    headers: Headers,
    password: Option<String>,
    /// Known while it is created, and never again.
    signing_secret: Option<SigningKey>,
}

impl WebhookResource {
    /// Without what is sealed.
    fn sealed(row: Webhook, tenants: Vec<TenantId>, destination: DestinationState) -> Self {
        Self {
            row,
            tenants,
            destination,
            headers: Headers::default(),
            password: None,
            signing_secret: None,
        }
    }

    fn opened(mut self, sealer: &Sealer) -> Result<Self, ResourceError> {
        self.headers = Headers::open(sealer, &self.row)?;
        self.password = secrets::open_password(sealer, &self.row)?;
        Ok(self)
    }

    fn seal(&mut self, sealer: &Sealer) -> Result<(), ResourceError> {
        self.row.headers = self.headers.seal(sealer, self.row.id)?;
        self.row.http_authentication_password =
            secrets::seal_password(sealer, self.row.id, self.password.as_deref())?;
        Ok(())
    }

    fn of_row(connection: &mut AnyConnection, row: Webhook) -> Result<Self, ResourceError> {
        let tenants = Webhook::tenants(connection, row.id)?;
        let destination = destination_state(connection, row.id.into())?;
        Ok(Self::sealed(row, tenants, destination))
    }
}

impl Resource for WebhookResource {
    type Id = WebhookId;

    const NOUN: &'static str = "webhook";
    const NOUNS: &'static str = "webhooks";
    const ID: &'static str = "webhookId";
    const MEMBERS: &'static [Member<Self>] = members::MEMBERS;
    const OWN: &'static [&'static str] = &[
        "/webhook/contactEmail",
        "/webhook/orderedBy",
        "/webhook/rateLimit",
    ];

    fn blank(id: WebhookId, now: UnixMillis, stored: Option<&Self>) -> Self {
        let row = Webhook {
            id,
            insert_instant: stored.map_or(now, |stored| stored.row.insert_instant),
            last_update_instant: now,
            ..Webhook::default()
        };
        let healthy = || DestinationState::healthy(id.into());
        let destination = stored.map_or_else(healthy, |stored| stored.destination.clone());
        Self::sealed(row, Vec::new(), destination)
    }

    fn id(&self) -> WebhookId {
        self.row.id
    }

    fn exists(connection: &mut AnyConnection, id: WebhookId) -> Result<bool, ResourceError> {
        Ok(Webhook::exists(connection, id)?)
    }

    fn load(
        connection: &mut AnyConnection,
        context: &Context,
        ids: &[WebhookId],
    ) -> Result<Vec<Self>, ResourceError> {
        let rows = Webhook::load(connection, ids)?;
        let mut tenants: HashMap<WebhookId, Vec<TenantId>> = HashMap::new();
        for (webhook, tenant) in Webhook::tenants_of(connection, ids)? {
            tenants.entry(webhook).or_default().push(tenant);
        }
        let destinations: Vec<DestinationId> = ids.iter().map(|id| (*id).into()).collect();
        let states = destination_states(connection, &destinations)?.into_iter();
        let mut states: HashMap<DestinationId, DestinationState> =
            states.map(|state| (state.destination, state)).collect();
        let complete = |row: Webhook| {
            let destination = DestinationId::from(row.id);
            let state = states.remove(&destination);
            let state = state.unwrap_or_else(|| DestinationState::healthy(destination));
            let tenants = tenants.remove(&row.id).unwrap_or_default();
            Self::sealed(row, tenants, state).opened(&context.sealer)
        };
        rows.into_iter().map(complete).collect()
    }

    fn find_for_update(
        connection: &mut AnyConnection,
        context: &Context,
        id: WebhookId,
    ) -> Result<Option<Self>, ResourceError> {
        let Some(row) = Webhook::find_for_update(connection, id)? else {
            return Ok(None);
        };
        let found = Self::of_row(connection, row)?;
        Ok(Some(found.opened(&context.sealer)?))
    }

    fn check(
        &mut self,
        connection: &mut AnyConnection,
        _: &Context,
        object: &Object<'_>,
        _: Option<&Self>,
    ) -> Result<(), ResourceError> {
        self.row.user_action_enabled = self.row.events_enabled.0.get("user.action") == Some(&true);
        check::check(self, connection, object)
    }

    fn insert(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError> {
        self.seal(&context.sealer)?;
        let given = self.signing_secret.take();
        let secret = given.map_or_else(|| secrets::generate(SecretKind::V1), Ok)?;
        self.row.insert(connection)?;
        Webhook::set_tenants(connection, self.row.id, &self.tenants)?;
        secrets::insert(connection, context, self.row.id, &secret)?;
        self.signing_secret = Some(secret);
        Ok(())
    }

    fn update(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError> {
        self.seal(&context.sealer)?;
        self.row.update(connection)?;
        Ok(Webhook::set_tenants(
            connection,
            self.row.id,
            &self.tenants,
        )?)
    }

    /// What is sealed stays so: one whose key is lost can be deleted too.
    fn find_for_delete(
        connection: &mut AnyConnection,
        _: &Context,
        id: WebhookId,
    ) -> Result<Option<Self>, ResourceError> {
        let row = Webhook::find_for_delete(connection, id)?;
        row.map(|row| Self::of_row(connection, row)).transpose()
    }

    fn delete(&self, connection: &mut AnyConnection, _: &Context) -> Result<(), ResourceError> {
        Webhook::delete(connection, self.row.id)?;
        Ok(())
    }
}

/// Lifts a disabling, and releases what is held. A webhook that is not disabled stays as it is.
///
/// # Errors
/// [`ResourceError::NotFound`]
pub fn enable(
    connection: &mut AnyConnection,
    context: &Context,
    id: WebhookId,
) -> Result<WebhookResource, ResourceError> {
    find::<WebhookResource>(connection, context, id)?;
    outbox::enable(connection, id)?;
    record::<WebhookResource>(connection, context, ("enabled", id), None, None)?;
    find(connection, context, id)
}

/// Criteria of the search for webhooks.
pub const CRITERIA: &[Field] = &[
    text("description"),
    text("url"),
    given(
        "tenantId",
        Kind::Id,
        "Those that serve this tenant, global ones included.",
    ),
];

impl Searchable for WebhookResource {
    type Criteria = WebhookSearch;

    const ORDER: &'static [&'static str] = &["description", "id", "insertInstant", "url"];
    const DEFAULT_ORDER: &'static str = "insertInstant DESC, id DESC";

    fn read_criteria(criteria: &Object<'_>) -> WebhookSearch {
        WebhookSearch {
            description: text_criterion(criteria, "description"),
            url: text_criterion(criteria, "url"),
            tenant: criteria.id("tenantId"),
        }
    }

    fn search(
        connection: &mut AnyConnection,
        _: &Context,
        criteria: &WebhookSearch,
        sorts: &[Sort],
        window: Window,
    ) -> Result<Found<WebhookId>, ResourceError> {
        Ok(Webhook::search(connection, criteria, sorts, window)?)
    }
}
