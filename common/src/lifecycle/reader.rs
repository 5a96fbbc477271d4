//! Where a phase reads from: the database, or what was read for many at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use diesel::QueryResult;

use super::TakeRequest;
use super::basis::Basis;
use super::remembered::{Destinations, KeyInUse, Rarities, Remembered, Wanted};
use crate::db::AnyConnection;
use crate::id::{ReasonId, TenantId, UserActionId, UserId};
use crate::model::reason::Reason;
use crate::model::tenant::Tenant;
use crate::model::user::User;
use crate::model::user_action::{Phase, UserAction};
use crate::unix_millis::UnixMillis;

/// What was read for a number of requests: everything that they name, and that there is.
#[derive(Debug)]
pub(super) struct Prefetched {
    users: HashMap<UserId, Arc<User>>,
    rarities: Rarities,
}

impl Prefetched {
    /// Reads what these requests name.
    pub(super) fn of<'r>(
        connection: &mut AnyConnection,
        remembered: &Remembered,
        requests: impl Iterator<Item = &'r TakeRequest> + Clone,
        now: UnixMillis,
    ) -> QueryResult<Self> {
        let users = requests.clone().flat_map(|request| {
            let actioner = request.common.actioner_user_id;
            request.actionee_user_id.into_iter().chain(actioner)
        });
        let users = User::load(connection, &distinct(users))?;
        let definitions = requests
            .clone()
            .filter_map(|request| request.user_action_id);
        let reasons = requests.filter_map(|request| request.reason_id);
        let wanted = Wanted {
            tenants: distinct(users.iter().map(|user| user.tenant_id)),
            definitions: distinct(definitions),
            reasons: distinct(reasons),
        };
        let users = users.into_iter().map(|user| (user.id, Arc::new(user)));
        Ok(Self {
            users: users.collect(),
            rarities: remembered.get(connection, &wanted, now)?,
        })
    }

    /// The webhooks of the users' tenants.
    pub(super) fn destinations(&self) -> &Destinations {
        &self.rarities.destinations
    }

    /// What actions of these definitions rest on, asked for with these keys.
    pub(super) fn basis(self, definitions: BTreeSet<UserActionId>, keys: Vec<KeyInUse>) -> Basis {
        Basis {
            definitions,
            versions: self.rarities.versions,
            destinations: self.rarities.destinations,
            keys,
        }
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
    known: Option<&'a Prefetched>,
}

impl<'a> Reader<'a> {
    /// The database alone.
    pub(super) fn new(connection: &'a mut AnyConnection) -> Self {
        Self {
            connection,
            known: None,
        }
    }

    /// What was read already. It is complete: what it lacks does not exist.
    pub(super) fn knowing(connection: &'a mut AnyConnection, known: &'a Prefetched) -> Self {
        Self {
            connection,
            known: Some(known),
        }
    }

    pub(super) fn user(&mut self, id: UserId) -> QueryResult<Option<Arc<User>>> {
        match self.known {
            Some(known) => Ok(known.users.get(&id).cloned()),
            None => Ok(User::find(self.connection, id)?.map(Arc::new)),
        }
    }

    pub(super) fn definition(&mut self, id: UserActionId) -> QueryResult<Option<Arc<UserAction>>> {
        match self.known {
            Some(known) => Ok(known.rarities.definitions.get(&id).cloned()),
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
        match self.known {
            Some(known) => Ok(known.rarities.reasons.get(&id).cloned()),
            None => Ok(Reason::find(self.connection, id)?.map(Arc::new)),
        }
    }

    pub(super) fn tenant(&mut self, id: TenantId) -> QueryResult<Option<Arc<Tenant>>> {
        match self.known {
            Some(known) => Ok(known.rarities.tenants.get(&id).cloned()),
            None => Ok(Tenant::find(self.connection, id)?.map(Arc::new)),
        }
    }
}
