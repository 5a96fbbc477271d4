//! [`Background`]: work that goes on when its caller has hung up.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::error::ApiError;

/// Work that must come to its end once it has begun. A request's own future does not: it is
/// dropped with the connection.
#[derive(Debug, Clone)]
pub struct Background {
    /// Not that of the request's thread, which ends before the process does.
    runtime: Handle,
    tasks: TaskTracker,
}

impl Background {
    /// Work on the runtime that this is called on.
    #[must_use]
    pub fn here() -> Self {
        Self {
            runtime: Handle::current(),
            tasks: TaskTracker::new(),
        }
    }

    /// Does `work` to its end, and waits for it.
    ///
    /// # Errors
    /// What `work` fails with.
    pub async fn finish<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>> + Send + 'static,
        T: Send + 'static,
    {
        let task = self.tasks.spawn_on(work, &self.runtime);
        match task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(ApiError::internal(error)),
            },
        }
    }

    /// Does `work` to its end, without anybody waiting for it.
    pub fn go_on<F>(&self, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn_on(work, &self.runtime);
    }

    /// Begins `work` that nobody has to wait for: should this process end before it does,
    /// another takes it up.
    pub fn begin<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.runtime.spawn(work)
    }

    /// Waits until nothing is left to do, for so long at most.
    pub async fn drain(&self, grace: Duration) {
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("stopped before everything was done that requests had begun");
        }
    }
}
