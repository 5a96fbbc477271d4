//! [`SearchLimit`]: searches and lists never take all connections, so that whoever looks up a
//! key or writes finds one, however many slow searches there are.

use std::sync::Arc;

use beadle_common::db::{AnyConnection, CHECKOUT_TIMEOUT, Db};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// How many may read at the same time. A permit is held until its query has ended, even if
/// the caller hangs up before.
#[derive(Debug, Clone)]
pub(crate) struct SearchLimit {
    searches: Arc<Semaphore>,
    /// Parts of answers that are written while they are sent: short, but of large rows.
    pieces: Arc<Semaphore>,
}

impl SearchLimit {
    /// Half of the connections for searches, and half as many again for pieces.
    pub(crate) fn new(db: &Db) -> Self {
        let connections = usize::try_from(db.connections().limit).unwrap_or(1);
        let permits = |count: usize| Arc::new(Semaphore::new(count.max(1)));
        Self {
            searches: permits(connections / 2),
            pieces: permits(connections / 4),
        }
    }

    /// Runs a search. Whoever has waited as long as for a connection is sent away.
    pub(crate) async fn search<T, F>(&self, db: &Db, work: F) -> Result<T, ApiError>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, ApiError> + Send + 'static,
        T: Send + 'static,
    {
        let permit = Arc::clone(&self.searches).acquire_owned();
        match tokio::time::timeout(CHECKOUT_TIMEOUT, permit).await {
            Ok(Ok(permit)) => read(db, permit, work).await,
            Ok(Err(_)) | Err(_) => Err(ApiError::Unavailable(format!(
                "as many searches as there may be have been running for {CHECKOUT_TIMEOUT:?}"
            ))),
        }
    }

    /// Reads the next piece of an answer that is being sent, however long that has to wait.
    pub(crate) async fn piece<T, F>(&self, db: &Db, work: F) -> Result<T, ApiError>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, ApiError> + Send + 'static,
        T: Send + 'static,
    {
        let permit = Arc::clone(&self.pieces).acquire_owned().await;
        read(db, permit.map_err(ApiError::internal)?, work).await
    }
}

async fn read<T, F>(db: &Db, permit: OwnedSemaphorePermit, work: F) -> Result<T, ApiError>
where
    F: FnOnce(&mut AnyConnection) -> Result<T, ApiError> + Send + 'static,
    T: Send + 'static,
{
    db.read(move |connection| {
        let _permit = permit;
        work(connection)
    })
    .await
}
