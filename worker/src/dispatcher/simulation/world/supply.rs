//! Who is there to be delivered to, and what.

use std::time::Duration;

use beadle_common::id::{DestinationId, TenantId, WebhookId};
use beadle_common::model::event::EventRow;
use beadle_common::outbox::{NewDelivery, Payload, insert, insert_in_order};
use beadle_common::test_support;

use super::super::receivers::Temper;
use super::{NOW, World};

impl World {
    /// Some receivers, and something for each of them.
    pub(in super::super) async fn furnish(&mut self) {
        if self.random.one_in(3) {
            self.around.policy.disable_after = Some(Duration::from_secs(36 * 3600));
        }
        for _ in 0..2 + self.random.below(4) {
            let temper = Temper::random(&mut self.random);
            let rate = self.random.one_in(3).then(|| 1 + self.random.up_to(3));
            self.add_destination(temper, rate).await;
        }
        for _ in 0..1 + self.random.below(3) {
            self.raise().await;
        }
    }

    /// These receivers, and two deliveries for each.
    pub(in super::super) async fn furnish_with(&mut self, tempers: &[Temper]) {
        for temper in tempers {
            self.add_destination(*temper, None).await;
        }
        let destinations = self.destinations.clone();
        for _ in 0..2 {
            self.raise_for(&destinations).await;
        }
    }

    async fn add_destination(&mut self, temper: Temper, rate: Option<i64>) {
        let mut webhook = test_support::webhook(WebhookId::random(), Vec::new());
        webhook.id = self.random.id(NOW.millis());
        webhook.rate_limit = rate.map(|rate| i32::try_from(rate).unwrap());
        let destination = webhook.id.into();
        if let Some(rate) = rate {
            self.checks.limit(destination, rate);
        }
        self.destinations.push(destination);
        if self.random.one_in(3) {
            self.ordered.insert(destination);
        }
        self.receivers().tempers.insert(destination, temper);
        self.write(move |c| webhook.insert(c)).await;
    }

    /// An event for some of the webhooks, maybe several times: a burst.
    pub(super) async fn raise(&mut self) {
        let mut destinations = self.destinations.clone();
        destinations.retain(|_| self.random.one_in(2));
        for _ in 0..1 + self.random.below(4) {
            self.raise_for(&destinations).await;
        }
    }

    async fn raise_for(&mut self, destinations: &[DestinationId]) {
        let now = self.now();
        let event = EventRow {
            id: self.random.id(now.millis()),
            event_type: "user.action".to_owned(),
            tenant_id: TenantId::random(),
            action_log_id: None,
            linked_object_id: None,
            body: "{}".to_owned(),
            insert_instant: now,
        };
        let delivery = |destination: &DestinationId| NewDelivery {
            id: self.random.id(now.millis()),
            destination: *destination,
            payload: Payload::Webhook(event.id),
            due_at: now,
            insert_instant: now,
        };
        let new: Vec<NewDelivery> = destinations.iter().map(delivery).collect();
        self.events.push(event.id);
        self.deliveries.extend(new.iter().map(|new| new.id));
        let user = self.random.pick(&self.users);
        let ordered = self.ordered.clone();
        for new in new.iter().filter(|new| ordered.contains(&new.destination)) {
            self.checks.queued(new.destination, user, new.id);
        }
        self.write(move |c| {
            event.insert(c)?;
            new.iter()
                .try_for_each(|new| match ordered.contains(&new.destination) {
                    true => insert_in_order(c, new, user),
                    false => insert(c, new),
                })
        })
        .await;
    }
}
