//! [`Call::update`]: PUT and PATCH of everything that is stored.

use std::sync::Arc;

use actix_web::web;
use beadle_common::db::AnyConnection;
use serde_json::{Map, Value};

use super::call::Call;
use crate::error::ApiError;
use crate::input::Body;

/// How often a patch is applied outside the transaction that writes. After that it is done
/// within, where nobody can come in between.
const TRIES_OUTSIDE: u32 = 2;

/// Reads what is stored, with a lock.
pub(crate) trait Find<S>:
    Fn(&mut AnyConnection) -> Result<S, ApiError> + Send + Sync + 'static
{
}
impl<S, F> Find<S> for F where
    F: Fn(&mut AnyConnection) -> Result<S, ApiError> + Send + Sync + 'static
{
}

/// What a PATCH of it starts from.
pub(crate) trait Document<S>:
    Fn(&S) -> Result<Value, ApiError> + Send + Sync + 'static
{
}
impl<S, F> Document<S> for F where F: Fn(&S) -> Result<Value, ApiError> + Send + Sync + 'static {}

/// Checks and stores what is to be.
pub(crate) trait Write<S, P, T>:
    Fn(&mut AnyConnection, S, &Map<String, Value>, &P) -> Result<T, ApiError> + Send + Sync + 'static
{
}
impl<S, P, T, F> Write<S, P, T> for F where
    F: Fn(&mut AnyConnection, S, &Map<String, Value>, &P) -> Result<T, ApiError>
        + Send
        + Sync
        + 'static
{
}

struct Steps<F, D, W> {
    find: F,
    document: D,
    write: W,
}

/// What a patch made of a document.
struct Draft {
    /// The document, as text: as a value it would take many times the memory.
    from: String,
    members: Map<String, Value>,
}

impl Draft {
    async fn made_of(document: Value, body: &Arc<Body>) -> Result<Self, ApiError> {
        let body = Arc::clone(body);
        let make = move || {
            Ok(Self {
                from: document.to_string(),
                members: body.onto(|| document)?,
            })
        };
        web::block(make).await.map_err(ApiError::internal)?
    }

    fn is_from(&self, document: &Value) -> bool {
        let text = document.to_string();
        text == self.from
    }
}

impl Call {
    /// Changes a stored object by the body. `find` reads it with a lock, so that nobody else
    /// changes it before this is through; it is also how a missing one is told before
    /// anything that is wrong with the body. `document` is what a PATCH starts from, the
    /// object in its wrapper: a patch can show any part of it, so it holds no secret.
    /// `write` checks and stores what is to be.
    ///
    /// # Errors
    /// What these fail with, or what is wrong with the body.
    pub(crate) async fn update<S: 'static, T: Send + 'static>(
        &self,
        body: Result<Body, ApiError>,
        find: impl Fn(&mut AnyConnection) -> Result<S, ApiError> + Send + Sync + 'static,
        document: impl Fn(&S) -> Result<Value, ApiError> + Send + Sync + 'static,
        write: impl Fn(&mut AnyConnection, S, &Map<String, Value>) -> Result<T, ApiError>
        + Send
        + Sync
        + 'static,
    ) -> Result<T, ApiError> {
        let prepare = async |_: &Map<String, Value>| Ok(());
        let write = move |connection: &mut AnyConnection, stored, members: &_, (): &()| {
            write(connection, stored, members)
        };
        self.update_prepared(body, find, document, prepare, write)
            .await
    }

    /// The same with something that takes long to make of what is to be stored, and is made
    /// before the transaction. While others change the object all the time, what is stored in
    /// the end may be a little newer than what it was made of.
    ///
    /// # Errors
    /// As [`Call::update`], or what `prepare` fails with.
    pub(crate) async fn update_prepared<S: 'static, P, T>(
        &self,
        body: Result<Body, ApiError>,
        find: impl Fn(&mut AnyConnection) -> Result<S, ApiError> + Send + Sync + 'static,
        document: impl Fn(&S) -> Result<Value, ApiError> + Send + Sync + 'static,
        prepare: impl AsyncFn(&Map<String, Value>) -> Result<P, ApiError>,
        write: impl Fn(&mut AnyConnection, S, &Map<String, Value>, &P) -> Result<T, ApiError>
        + Send
        + Sync
        + 'static,
    ) -> Result<T, ApiError>
    where
        P: Send + Sync + 'static,
        T: Send + 'static,
    {
        let usable = body.and_then(|body| {
            if body.patch.is_none() {
                body.members()?;
            }
            Ok(body)
        });
        let body = match usable {
            Ok(body) => body,
            Err(error) => {
                self.state.read(move |c| find(c).map(drop)).await?;
                return Err(error);
            }
        };
        let steps = Steps {
            find,
            document,
            write,
        };
        match body.patch {
            None => self.replace(body, steps, prepare).await,
            Some(_) => self.patch(body, Arc::new(steps), prepare).await,
        }
    }

    async fn replace<S: 'static, P, T>(
        &self,
        body: Body,
        steps: Steps<impl Find<S>, impl Document<S>, impl Write<S, P, T>>,
        prepare: impl AsyncFn(&Map<String, Value>) -> Result<P, ApiError>,
    ) -> Result<T, ApiError>
    where
        P: Send + Sync + 'static,
        T: Send + 'static,
    {
        let prepared = prepare(body.members()?).await?;
        let replace = move |connection: &mut AnyConnection| {
            let stored = (steps.find)(connection)?;
            if body.own.is_empty() {
                return (steps.write)(connection, stored, body.members()?, &prepared);
            }
            let current = (steps.document)(&stored)?;
            (steps.write)(connection, stored, &body.onto(|| current)?, &prepared)
        };
        self.state.write(replace).await
    }

    /// What a patch makes of what is stored takes its time, and on SQLite everybody waits for
    /// whoever writes: so it is made beforehand, and counts if the document is still the same
    /// once it is locked.
    async fn patch<S: 'static, P, T>(
        &self,
        body: Body,
        steps: Arc<Steps<impl Find<S>, impl Document<S>, impl Write<S, P, T>>>,
        prepare: impl AsyncFn(&Map<String, Value>) -> Result<P, ApiError>,
    ) -> Result<T, ApiError>
    where
        P: Send + Sync + 'static,
        T: Send + 'static,
    {
        let body = Arc::new(body);
        let mut tries = 0;
        loop {
            let reading = Arc::clone(&steps);
            let read = move |connection: &mut AnyConnection| {
                (reading.document)(&(reading.find)(connection)?)
            };
            let draft = Draft::made_of(self.state.read(read).await?, &body).await?;
            let prepared = prepare(&draft.members).await?;
            tries += 1;
            let (steps, body) = (Arc::clone(&steps), Arc::clone(&body));
            let patch = move |connection: &mut AnyConnection| {
                let stored = (steps.find)(connection)?;
                let current = (steps.document)(&stored)?;
                if draft.is_from(&current) {
                    return (steps.write)(connection, stored, &draft.members, &prepared).map(Some);
                }
                if tries < TRIES_OUTSIDE {
                    return Ok(None);
                }
                let members = body.onto(|| current)?;
                (steps.write)(connection, stored, &members, &prepared).map(Some)
            };
            if let Some(updated) = self.state.write(patch).await? {
                return Ok(updated);
            }
        }
    }
}
