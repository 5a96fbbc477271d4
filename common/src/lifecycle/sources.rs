//! Where a phase reads from: the database, or what was read for many at once.

use std::collections::HashMap;
use std::hash::Hash;

use diesel::QueryResult;

use super::TakeRequest;
use crate::db::AnyConnection;
use crate::id::{ReasonId, TenantId, UserActionId, UserId};
use crate::model::reason::Reason;
use crate::model::tenant::Tenant;
use crate::model::user::User;
use crate::model::user_action::{Phase, UserAction};

/// What was read for a number of requests: everything that they name, and that there is.
#[derive(Debug)]
pub(super) struct Known {
    users: HashMap<UserId, User>,
    definitions: HashMap<UserActionId, UserAction>,
    reasons: HashMap<ReasonId, Reason>,
    tenants: HashMap<TenantId, Tenant>,
}

impl Known {
    /// Reads what these requests name.
    pub(super) fn of<'r>(
        connection: &mut AnyConnection,
        requests: impl Iterator<Item = &'r TakeRequest> + Clone,
    ) -> QueryResult<Self> {
        let users = requests.clone().flat_map(|request| {
            let actioner = request.common.actioner_user_id;
            request.actionee_user_id.into_iter().chain(actioner)
        });
        let definitions = requests
            .clone()
            .filter_map(|request| request.user_action_id);
        let reasons = requests.filter_map(|request| request.reason_id);
        let users = read(connection, users, User::load, |user| user.id)?;
        let tenants = users.values().map(|user: &User| user.tenant_id);
        Ok(Self {
            tenants: read(connection, tenants, Tenant::load, |tenant| tenant.id)?,
            definitions: read(connection, definitions, UserAction::load, |found| found.id)?,
            reasons: read(connection, reasons, Reason::load, |reason| reason.id)?,
            users,
        })
    }
}

/// Reads each of `ids` once.
fn read<K: Copy + Ord + Hash, R>(
    connection: &mut AnyConnection,
    ids: impl Iterator<Item = K>,
    load: fn(&mut AnyConnection, &[K]) -> QueryResult<Vec<R>>,
    id: fn(&R) -> K,
) -> QueryResult<HashMap<K, R>> {
    let mut ids: Vec<K> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = load(connection, &ids)?;
    Ok(rows.into_iter().map(|row| (id(&row), row)).collect())
}

/// Where a phase reads from.
pub(super) struct Sources<'a> {
    /// For what is never read for many at once.
    pub(super) connection: &'a mut AnyConnection,
    known: Option<&'a Known>,
}

impl<'a> Sources<'a> {
    /// The database alone.
    pub(super) fn new(connection: &'a mut AnyConnection) -> Self {
        Self {
            connection,
            known: None,
        }
    }

    /// What was read already. It is complete: what it lacks does not exist.
    pub(super) fn knowing(connection: &'a mut AnyConnection, known: &'a Known) -> Self {
        Self {
            connection,
            known: Some(known),
        }
    }

    pub(super) fn user(&mut self, id: UserId) -> QueryResult<Option<User>> {
        match self.known {
            Some(known) => Ok(known.users.get(&id).cloned()),
            None => User::find(self.connection, id),
        }
    }

    pub(super) fn definition(&mut self, id: UserActionId) -> QueryResult<Option<UserAction>> {
        match self.known {
            Some(known) => Ok(known.definitions.get(&id).cloned()),
            None => UserAction::find(self.connection, id),
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

    pub(super) fn reason(&mut self, id: ReasonId) -> QueryResult<Option<Reason>> {
        match self.known {
            Some(known) => Ok(known.reasons.get(&id).cloned()),
            None => Reason::find(self.connection, id),
        }
    }

    pub(super) fn tenant(&mut self, id: TenantId) -> QueryResult<Option<Tenant>> {
        match self.known {
            Some(known) => Ok(known.tenants.get(&id).cloned()),
            None => Tenant::find(self.connection, id),
        }
    }
}
