//! Things that arrive, in order, and waiting for one of them.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

/// What has arrived so far at a receiver or a mail server. Clones share it.
#[derive(Clone)]
pub(crate) struct Inbox<T> {
    /// Changes whenever something arrives.
    arrivals: watch::Receiver<usize>,
    all: Arc<dyn Fn() -> Vec<T> + Send + Sync>,
}

impl<T> Inbox<T> {
    pub(crate) fn new(
        arrivals: watch::Receiver<usize>,
        all: impl Fn() -> Vec<T> + Send + Sync + 'static,
    ) -> Self {
        Self {
            arrivals,
            all: Arc::new(all),
        }
    }

    pub(crate) fn all(&self) -> Vec<T> {
        (self.all)()
    }

    /// The first one that `is_wanted`, whether it is there already or comes before the
    /// deadline.
    pub(crate) async fn first(
        &self,
        deadline: Instant,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let found = self.wait_for(|all| all.into_iter().find(&is_wanted));
        tokio::time::timeout_at(deadline.into(), found).await.ok()?
    }

    /// The one after the first `count`, as soon as it comes.
    pub(crate) async fn next_after(&self, count: usize) -> Option<T> {
        self.wait_for(|all| all.into_iter().nth(count)).await
    }

    /// None: nothing will arrive any more.
    async fn wait_for(&self, find: impl Fn(Vec<T>) -> Option<T>) -> Option<T> {
        let mut arrivals = self.arrivals.clone();
        loop {
            arrivals.mark_unchanged();
            if let Some(found) = find(self.all()) {
                return Some(found);
            }
            arrivals.changed().await.ok()?;
        }
    }
}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_was_there_before_counts_too() {
        let (_sender, arrivals) = watch::channel(2);
        let inbox = Inbox::new(arrivals, || vec![1, 2]);
        let soon = Instant::now() + Duration::from_secs(5);
        assert_eq!(inbox.first(soon, |number| *number > 1).await, Some(2));
        assert_eq!(inbox.next_after(1).await, Some(2));
    }

    #[tokio::test]
    async fn nobody_waits_beyond_the_deadline() {
        let (_sender, arrivals) = watch::channel(0);
        let inbox = Inbox::<i32>::new(arrivals, Vec::new);
        let soon = Instant::now() + Duration::from_millis(20);
        assert_eq!(inbox.first(soon, |_| true).await, None);
    }
}
