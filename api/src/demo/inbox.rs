//! Things that arrive, in order, and waiting for one of them.

use std::time::Instant;

use tokio::sync::watch;

/// What has arrived so far. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Inbox<T>(watch::Sender<Vec<T>>);

impl<T: Clone> Inbox<T> {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    pub(super) fn put(&self, item: T) {
        self.0.send_modify(|items| items.push(item));
    }

    pub(super) fn all(&self) -> Vec<T> {
        self.0.borrow().clone()
    }

    /// The first one that `is_wanted`, whether it is there already or comes before the
    /// deadline.
    pub(super) async fn first(
        &self,
        deadline: Instant,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let mut arrivals = self.0.subscribe();
        let arrived = arrivals.wait_for(|items| items.iter().any(&is_wanted));
        let items = tokio::time::timeout_at(deadline.into(), arrived).await;
        let items = items.ok()?.ok()?;
        items.iter().find(|item| is_wanted(item)).cloned()
    }

    /// The one after the first `count`, as soon as it comes.
    pub(super) async fn next_after(&self, count: usize) -> Option<T> {
        let mut arrivals = self.0.subscribe();
        let items = arrivals.wait_for(|items| items.len() > count).await;
        items.ok()?.get(count).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_was_there_before_counts_too() {
        let inbox = Inbox::new();
        inbox.put(1);
        inbox.put(2);
        let soon = Instant::now() + Duration::from_secs(5);
        assert_eq!(inbox.first(soon, |number| *number > 1).await, Some(2));
        assert_eq!(inbox.next_after(1).await, Some(2));
    }

    #[tokio::test]
    async fn nobody_waits_beyond_the_deadline() {
        let inbox = Inbox::<i32>::new();
        let soon = Instant::now() + Duration::from_millis(20);
        assert_eq!(inbox.first(soon, |_| true).await, None);
    }
}
