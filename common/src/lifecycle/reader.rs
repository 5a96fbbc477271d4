//! Where a phase reads from: the database, or what was read for many at once.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::QueryResult;

use super::TakeRequest;
use super::config_snapshot::{ConfigSnapshot, Destinations};
use crate::db::AnyConnection;
use crate::id::{ReasonId, TenantId, UserActionId, UserId};
use crate::model::reason::Reason;
use crate::model::tenant::Tenant;
use crate::model::user::User;
use crate::model::user_action::{Phase, UserAction};

/// The people of a log, and its definition.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) actionee: Arc<User>,
    /// None: the system acts, or the actioner is gone.
    pub(super) actioner: Option<Arc<User>>,
    pub(super) definition: Arc<UserAction>,
}

/// What was read for a number of requests: everything that they name, and that there is.
#[derive(Debug)]
pub(super) struct Prefetched {
    users: HashMap<UserId, Arc<User>>,
    tenants: HashMap<TenantId, Arc<Tenant>>,
    definitions: HashMap<UserActionId, Arc<UserAction>>,
    reasons: HashMap<ReasonId, Arc<Reason>>,
    destinations: HashMap<TenantId, Arc<Destinations>>,
}

impl Prefetched {
    /// Reads what these requests name.
    pub(super) fn of<'r>(
        connection: &mut AnyConnection,
        snapshot: &ConfigSnapshot,
        requests: impl Iterator<Item = &'r TakeRequest> + Clone,
    ) -> QueryResult<Self> {
        let users = requests.clone().flat_map(|request| {
            let actioner = request.common.actioner_user_id;
            request.actionee_user_id.into_iter().chain(actioner)
        });
        let users = User::load(connection, &distinct(users))?;
        let tenants = distinct(users.iter().map(|user| user.tenant_id));
        let definitions = requests
            .clone()
            .filter_map(|request| request.user_action_id);
        let reasons = requests.filter_map(|request| request.reason_id);
        let users = users.into_iter().map(|user| (user.id, Arc::new(user)));
        Ok(Self {
            users: users.collect(),
            tenants: snapshot.tenants(connection, &tenants)?,
            definitions: snapshot.definitions(connection, &distinct(definitions))?,
            reasons: snapshot.reasons(connection, &distinct(reasons))?,
            destinations: snapshot.destinations(connection, &tenants)?,
        })
    }

    /// The webhooks of a tenant of these users.
    pub(super) fn destinations(&self, tenant: TenantId) -> Option<&Destinations> {
        self.destinations.get(&tenant).map(Arc::as_ref)
    }
}

fn distinct<K: Ord>(ids: impl Iterator<Item = K>) -> Vec<K> {
    let mut ids: Vec<K> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Where a phase reads from.
pub(super) struct Reader<'a> {
    /// For what is never read for many at once.
    pub(super) connection: &'a mut AnyConnection,
    prefetched: Option<&'a Prefetched>,
}

impl<'a> Reader<'a> {
    /// The database alone.
    pub(super) fn new(connection: &'a mut AnyConnection) -> Self {
        Self {
            connection,
            prefetched: None,
        }
    }

    /// What was read already. It is complete: what it lacks does not exist.
    pub(super) fn prefetched(
        connection: &'a mut AnyConnection,
        prefetched: &'a Prefetched,
    ) -> Self {
        Self {
            connection,
            prefetched: Some(prefetched),
        }
    }

    pub(super) fn user(&mut self, id: UserId) -> QueryResult<Option<Arc<User>>> {
        match self.prefetched {
            Some(known) => Ok(known.users.get(&id).cloned()),
            None => Ok(User::find(self.connection, id)?.map(Arc::new)),
        }
    }

    pub(super) fn definition(&mut self, id: UserActionId) -> QueryResult<Option<Arc<UserAction>>> {
        match self.prefetched {
            Some(known) => Ok(known.definitions.get(&id).cloned()),
            None => Ok(UserAction::find(self.connection, id)?.map(Arc::new)),
        }
    }

    /// Whether the start of this action comes with a mail, sent or shown.
    pub(super) fn may_render(&mut self, request: &TakeRequest) -> QueryResult<bool> {
        let definition = match request.user_action_id {
            Some(id) => self.definition(id)?,
            None => None,
        };
        Ok(definition.is_some_and(|definition| {
            let wanted = request.common.email_user || definition.include_email_in_event_json;
            wanted && definition.template(Phase::Start).is_some()
        }))
    }

    pub(super) fn reason(&mut self, id: ReasonId) -> QueryResult<Option<Arc<Reason>>> {
        match self.prefetched {
            Some(known) => Ok(known.reasons.get(&id).cloned()),
            None => Ok(Reason::find(self.connection, id)?.map(Arc::new)),
        }
    }

    pub(super) fn tenant(&mut self, id: TenantId) -> QueryResult<Option<Arc<Tenant>>> {
        match self.prefetched {
            Some(known) => Ok(known.tenants.get(&id).cloned()),
            None => Ok(Tenant::find(self.connection, id)?.map(Arc::new)),
        }
    }
}
