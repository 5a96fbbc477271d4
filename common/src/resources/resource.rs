//! [`Resource`]: what the operations on nouns have in common. They know no HTTP; each runs in
//! the transaction of its caller, and leaves an entry in the audit log there.

use std::fmt::Display;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::actor::Context;
use super::audit::Change;
use super::error::ResourceError;
use super::input::{Object, read_wrapped};
use super::member::{Member, audit_members, changed_secrets, read_members, show_members};
use super::problem::Prefix;
use crate::db::AnyConnection;
use crate::id::TenantId;
use crate::model::search::{Found, Sort, Window};
use crate::unix_millis::UnixMillis;
use crate::view::View;

/// A noun that clients create, change and delete: a row with everything that is shown of it.
pub trait Resource: Sized + Send + 'static {
    /// What one is called by.
    type Id: Copy + PartialEq + Display + From<Uuid> + Into<Uuid> + Send + Sync + 'static;

    /// The member that requests and answers have it in: `webhook`.
    const NOUN: &'static str;
    /// The member of lists.
    const NOUNS: &'static str;
    /// What an Id of it is called.
    const ID: &'static str;
    /// Its members.
    const MEMBERS: &'static [Member<Self>];
    /// Members that FusionAuth does not have, as JSON Pointers that begin with the noun: a PUT
    /// that does not name them keeps them.
    const OWN: &'static [&'static str] = &[];

    /// One without anything that clients say of it. `stored` is what it will replace.
    fn blank(id: Self::Id, now: UnixMillis, stored: Option<&Self>) -> Self;

    /// Its Id.
    fn id(&self) -> Self::Id;

    /// The tenant that it belongs to, and goes with.
    fn tenant(&self) -> Option<TenantId> {
        None
    }

    /// Whether there is one with this Id, seen or not.
    fn exists(connection: &mut AnyConnection, id: Self::Id) -> Result<bool, ResourceError>;

    /// Those with these Ids that the actor may see, in no order.
    fn load(
        connection: &mut AnyConnection,
        context: &Context,
        ids: &[Self::Id],
    ) -> Result<Vec<Self>, ResourceError>;

    /// The one with this Id, if the actor may change it; nobody else does until the transaction
    /// ends.
    fn find_for_update(
        connection: &mut AnyConnection,
        context: &Context,
        id: Self::Id,
    ) -> Result<Option<Self>, ResourceError>;

    /// As answers have it.
    fn show(&self) -> View {
        show_members(Self::MEMBERS, self)
    }

    /// As the audit log has it: without secrets.
    fn audited(&self) -> View {
        audit_members(Self::MEMBERS, self)
    }

    /// The names of secret members that `new` has otherwise.
    fn changed_secrets(&self, new: &Self) -> Vec<&'static str> {
        changed_secrets(Self::MEMBERS, self, new)
    }

    /// What a PATCH of it starts from: the object in its wrapper, without a secret that answers
    /// do not show.
    fn document(&self, _: &Context) -> Value {
        json!({Self::NOUN: self.show().into_value()})
    }

    /// Rules that concern several members or other objects, once the members are read: reports
    /// what breaks them, and completes what is to be stored. `stored` is what it will replace.
    fn check(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
        object: &Object<'_>,
        stored: Option<&Self>,
    ) -> Result<(), ResourceError>;

    /// Stores a new one.
    fn insert(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError>;

    /// Stores it in the place of one with the same Id.
    fn update(
        &mut self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError>;

    /// As [`Resource::find_for_update`], for one that is about to be deleted.
    fn find_for_delete(
        connection: &mut AnyConnection,
        context: &Context,
        id: Self::Id,
    ) -> Result<Option<Self>, ResourceError> {
        Self::find_for_update(connection, context, id)
    }

    /// Removes it.
    fn delete(
        &self,
        connection: &mut AnyConnection,
        context: &Context,
    ) -> Result<(), ResourceError>;
}

/// A noun that is searched for.
pub trait Searchable: Resource {
    /// What is looked for.
    type Criteria: Default + Send + 'static;

    /// Fields that results can be ordered by.
    const ORDER: &'static [&'static str];
    /// How they are ordered if nothing is said.
    const DEFAULT_ORDER: &'static str;

    /// The criteria of a request.
    fn read_criteria(criteria: &Object<'_>) -> Self::Criteria;

    /// Those that the actor may see and that meet the criteria.
    fn search(
        connection: &mut AnyConnection,
        context: &Context,
        criteria: &Self::Criteria,
        sorts: &[Sort],
        window: Window,
    ) -> Result<Found<Self::Id>, ResourceError>;

    /// As [`Resource::load`], for a list or a page of results.
    fn load_listed(
        connection: &mut AnyConnection,
        context: &Context,
        ids: &[Self::Id],
    ) -> Result<Vec<Self>, ResourceError> {
        Self::load(connection, context, ids)
    }
}

/// The one as answers have it.
#[must_use]
pub fn show<R: Resource>(one: &R) -> View {
    one.show()
}

/// Creates one, by what a request says of it.
///
/// # Errors
/// [`ResourceError::Invalid`] with everything that is wrong.
pub fn create<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    given: Option<R::Id>,
    members: &Map<String, Value>,
) -> Result<R, ResourceError> {
    let new = read_wrapped(members, R::NOUN, |object| {
        read_new(connection, context, object, given)
    })?;
    insert(connection, context, new)
}

/// A new one as a request describes it. Problems are reported to the object's collector.
pub(super) fn read_new<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    object: &Object<'_>,
    given: Option<R::Id>,
) -> Result<R, ResourceError> {
    let id = given.unwrap_or_else(|| Uuid::new_v4().into());
    if given.is_some() && R::exists(connection, id)? {
        object.errors().refuse(Prefix::Duplicate, R::ID);
    }
    let blank = R::blank(id, context.now, None);
    read(connection, context, object, blank, None)
}

/// Stores a new one that nothing is wrong with.
pub(super) fn insert<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    mut new: R,
) -> Result<R, ResourceError> {
    new.insert(connection, context)?;
    record(connection, context, ("created", new.id()), None, Some(&new))?;
    Ok(new)
}

/// The one with this Id.
///
/// # Errors
/// [`ResourceError::NotFound`] if there is none that the actor may see.
pub fn find<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    id: R::Id,
) -> Result<R, ResourceError> {
    let found = R::load(connection, context, &[id])?.pop();
    found.ok_or(ResourceError::NotFound)
}

/// The one with this Id, which nobody else changes until the transaction ends.
///
/// # Errors
/// [`ResourceError::NotFound`] if there is none that the actor may change.
pub fn find_for_update<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    id: R::Id,
) -> Result<R, ResourceError> {
    R::find_for_update(connection, context, id)?.ok_or(ResourceError::NotFound)
}

/// Replaces `stored`, which was found for update, by what a request says.
///
/// # Errors
/// [`ResourceError::Invalid`] with everything that is wrong.
pub fn update<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    stored: &R,
    members: &Map<String, Value>,
) -> Result<R, ResourceError> {
    let new = read_wrapped(members, R::NOUN, |object| {
        read_changed(connection, context, object, stored)
    })?;
    replace(connection, context, stored, new)
}

/// What a request makes of `stored`. Problems are reported to the object's collector.
pub(super) fn read_changed<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    object: &Object<'_>,
    stored: &R,
) -> Result<R, ResourceError> {
    let blank = R::blank(stored.id(), context.now, Some(stored));
    read(connection, context, object, blank, Some(stored))
}

/// Stores one that nothing is wrong with in the place of another.
pub(super) fn replace<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    stored: &R,
    mut new: R,
) -> Result<R, ResourceError> {
    new.update(connection, context)?;
    let what = ("updated", stored.id());
    record(connection, context, what, Some(stored), Some(&new))?;
    Ok(new)
}

fn read<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    object: &Object<'_>,
    mut blank: R,
    stored: Option<&R>,
) -> Result<R, ResourceError> {
    read_members(R::MEMBERS, object, &mut blank, stored.is_none());
    blank.check(connection, context, object, stored)?;
    Ok(blank)
}

/// Deletes the one with this Id.
///
/// # Errors
/// [`ResourceError::NotFound`] if there is none that the actor may change.
pub fn delete<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    id: R::Id,
) -> Result<(), ResourceError> {
    let stored = R::find_for_delete(connection, context, id)?.ok_or(ResourceError::NotFound)?;
    stored.delete(connection, context)?;
    record(connection, context, ("deleted", id), Some(&stored), None)
}

/// Writes an entry of the audit log: what was done to which one, and what it was and is.
///
/// # Errors
/// Those of the database.
pub fn record<R: Resource>(
    connection: &mut AnyConnection,
    context: &Context,
    (verb, id): (&'static str, R::Id),
    old: Option<&R>,
    new: Option<&R>,
) -> Result<(), ResourceError> {
    let secrets = old.zip(new).map(|(old, new)| old.changed_secrets(new));
    let change = Change {
        verb,
        noun: R::NOUN,
        id: &id,
        tenant: new.or(old).and_then(R::tenant),
        old: old.map(R::audited),
        new: new.map(R::audited),
        secrets: secrets.unwrap_or_default(),
    };
    Ok(change.record(connection, context)?)
}
