//! What goes wrong, and what people do.

use std::sync::atomic::Ordering;

use beadle_common::db::QueryResult;
use beadle_common::id::WebhookId;
use beadle_common::outbox::{enable, resend};

use super::{Chaos, World};

impl World {
    /// Something happens that nobody was prepared for.
    pub(super) async fn trouble(&mut self) {
        let index = self.random.index(self.workers.len());
        let kinds = if self.chaos == Chaos::Everything {
            9
        } else {
            7
        };
        match self.random.below(kinds) {
            0 => {
                self.workers[index].die();
                self.workers[index] = self.employ();
            }
            1 => {
                self.workers[index].settle_in_vain().await;
                if self.random.one_in(2) {
                    self.workers[index].die();
                    self.workers[index] = self.employ();
                }
            }
            2 => {
                self.workers[index].stop().await;
                self.settle(index).await;
                self.workers[index] = self.employ();
            }
            3 => self.workers[index].frozen_until = self.elapsed() + self.random.up_to(200_000),
            4 => self.raise().await,
            5 => self.operate().await,
            6 => self.look_together().await,
            7 => self.jump(1),
            _ => self.jump(-1),
        }
    }

    /// The clock is set, and no time passes.
    fn jump(&mut self, direction: i64) {
        let millis = direction * self.random.up_to(400_000);
        self.clock.fetch_add(millis, Ordering::SeqCst);
        self.checks.jumped(millis);
    }

    /// Somebody resends a delivery, or enables all webhooks.
    async fn operate(&mut self) {
        if self.random.one_in(2) {
            return self.enable_all().await;
        }
        if self.deliveries.is_empty() {
            return;
        }
        let (id, now) = (self.random.pick(&self.deliveries), self.now());
        self.checks.resent(id);
        self.write(move |c| resend(c, id, now)).await;
    }

    pub(in super::super) async fn enable_all(&mut self) {
        let disabled = self.snapshot().await.disabled();
        self.checks.enabled(&disabled);
        self.write(move |c| {
            let webhooks = disabled.into_iter().map(WebhookId::from);
            webhooks
                .map(|webhook| enable(c, webhook))
                .collect::<QueryResult<Vec<bool>>>()
        })
        .await;
    }

    /// Two workers look at the same time.
    async fn look_together(&mut self) {
        let before = self.snapshot().await;
        let (Some(one), Some(other)) = (self.workers.first(), self.workers.get(1)) else {
            return;
        };
        let (one, other) = tokio::join!(one.poll_once(), other.poll_once());
        let found = one.unwrap().found + other.unwrap().found;
        self.check_claims(&before, found);
    }
}
