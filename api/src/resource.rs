//! Handlers of what nouns have in common: HTTP around the operations of
//! [`beadle_common::resources`].

use std::marker::PhantomData;

use beadle_common::db::AnyConnection;
use beadle_common::model::search::Window;
use beadle_common::resources::{self, Context, Resource, ResourceError, Searchable};
use beadle_common::view::View;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::answer::{self, Answer, Reply};
use crate::error::ApiError;
use crate::extract::Call;
use crate::listing::{self, Rows};
use crate::search::{Criteria, read_order, read_window};

/// `POST /noun[/{id}]`
pub(crate) async fn create<R: Resource>(mut call: Call) -> Answer {
    let given = call.id()?;
    let members = call.body().await?.into_members()?;
    let context = call.context();
    call.commit(move |connection| {
        let new: R = resources::create(connection, &context, given, &members)?;
        Ok(Reply::wrapped(R::NOUN, resources::show(&new)))
    })
    .await
}

/// `GET /noun[/{id}]`
pub(crate) async fn retrieve<R: Searchable>(call: Call) -> Answer {
    match call.id::<R::Id>()? {
        Some(_) => retrieve_one::<R>(call).await,
        None => list::<R>(call).await,
    }
}

/// `GET /noun/{id}`
pub(crate) async fn retrieve_one<R: Resource>(call: Call) -> Answer {
    let (id, context): (R::Id, _) = (call.required_id()?, call.context());
    let find = move |connection: &mut AnyConnection| {
        let found: R = resources::find(connection, &context, id)?;
        Ok(resources::show(&found))
    };
    Ok(answer::wrapped(R::NOUN, call.state().read(find).await?))
}

/// All of them, in the order of a search.
async fn list<R: Searchable>(call: Call) -> Answer {
    let (rows, context) = (Shown::<R>::of(&call), call.context());
    listing::answer(&call, R::NOUNS, rows, move |connection| {
        let all = R::Criteria::default();
        Ok(R::search(connection, &context, &all, &[], Window::ALL)?.ids)
    })
    .await
}

/// What a request makes of what is stored.
type Update<R> =
    fn(&mut AnyConnection, &Context, &R, &Map<String, Value>) -> Result<R, ResourceError>;

/// `PUT` and `PATCH /noun/{id}`
pub(crate) async fn update<R: Resource>(call: Call) -> Answer {
    update_by::<R>(call, resources::update).await
}

/// The same for a noun whose requests say more than what it is.
pub(crate) async fn update_by<R: Resource>(mut call: Call, update: Update<R>) -> Answer {
    let id: R::Id = call.required_id()?;
    let body = call.body().await.map(|body| body.keeping(R::OWN));
    let is_patch = body.as_ref().is_ok_and(|body| body.patch.is_some());
    let context = Context {
        placeholder: is_patch.then(|| Uuid::new_v4().to_string()),
        ..call.context()
    };
    let (finding, showing) = (context.clone(), context.clone());
    let updated = call
        .update(
            body,
            move |connection| Ok(resources::find_for_update::<R>(connection, &finding, id)?),
            move |stored| Ok(stored.document(&showing)),
            move |connection, stored, members| {
                let new = update(connection, &context, &stored, members)?;
                Ok(resources::show(&new))
            },
        )
        .await?;
    Ok(answer::wrapped(R::NOUN, updated))
}

/// `DELETE /noun/{id}`
pub(crate) async fn remove<R: Resource>(call: Call) -> Answer {
    let (id, context): (R::Id, _) = (call.required_id()?, call.context());
    let remove =
        move |connection: &mut AnyConnection| Ok(resources::delete::<R>(connection, &context, id)?);
    call.state().write(remove).await?;
    Ok(answer::empty())
}

/// `GET` and `POST /noun/search`
pub(crate) async fn search<R: Searchable>(mut call: Call) -> Answer {
    let criteria = Criteria::of(&mut call).await?;
    let (wanted, sorts, window) = criteria.read(|criteria| {
        let sorts = read_order(criteria, R::ORDER, R::DEFAULT_ORDER);
        Ok((R::read_criteria(criteria), sorts, read_window(criteria)))
    })?;
    let (rows, context) = (Shown::<R>::of(&call), call.context());
    listing::answer(&call, R::NOUNS, rows, move |connection| {
        Ok(R::search(connection, &context, &wanted, &sorts, window)?)
    })
    .await
}

/// What a list shows of each.
struct Shown<R> {
    context: Context,
    of: PhantomData<fn() -> R>,
}

impl<R> Shown<R> {
    fn of(call: &Call) -> Self {
        Self {
            context: call.context(),
            of: PhantomData,
        }
    }
}

impl<R> Clone for Shown<R> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            of: PhantomData,
        }
    }
}

impl<R: Searchable> Rows for Shown<R> {
    type Id = R::Id;
    type Row = R;

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[R::Id],
    ) -> Result<Vec<(R::Id, R)>, ApiError> {
        let rows = R::load_listed(connection, &self.context, ids)?;
        Ok(rows.into_iter().map(|row| (row.id(), row)).collect())
    }

    fn show(&self, row: &R) -> Result<View, ApiError> {
        Ok(resources::show(row))
    }
}
