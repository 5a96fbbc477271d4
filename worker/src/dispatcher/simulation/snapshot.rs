//! What the database says at one moment.

use std::collections::BTreeMap;

use beadle_common::db::AnyConnection;
use beadle_common::deliveries::webhook_log::EventResult;
use beadle_common::id::{DeliveryId, DestinationId, EventId, LeaseToken};
use beadle_common::outbox::{DeliveryState, DestinationState};
use beadle_common::schema::{deliveries, destination_states, outbox};
use beadle_common::unix_millis::UnixMillis;
use diesel::prelude::*;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub(super) struct Owed {
    pub(super) id: DeliveryId,
    pub(super) destination: DestinationId,
    pub(super) event_id: Option<EventId>,
    pub(super) attempt: i32,
    pub(super) due_at: UnixMillis,
    pub(super) lease_token: Option<LeaseToken>,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub(super) struct Decided {
    pub(super) id: DeliveryId,
    pub(super) event_id: Option<EventId>,
    pub(super) attempt: i32,
    pub(super) state: DeliveryState,
}

/// What the database says.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) owed: BTreeMap<DeliveryId, Owed>,
    pub(super) decided: BTreeMap<DeliveryId, Decided>,
    pub(super) destinations: BTreeMap<DestinationId, DestinationState>,
}

impl Snapshot {
    pub(super) fn load(c: &mut AnyConnection) -> QueryResult<Self> {
        let owed: Vec<Owed> = outbox::table.select(Owed::as_select()).load(c)?;
        let decided: Vec<Decided> = deliveries::table.select(Decided::as_select()).load(c)?;
        let destinations: Vec<DestinationState> = destination_states::table
            .select(DestinationState::as_select())
            .load(c)?;
        Ok(Self {
            owed: owed.into_iter().map(|row| (row.id, row)).collect(),
            decided: decided.into_iter().map(|row| (row.id, row)).collect(),
            destinations: destinations
                .into_iter()
                .map(|state| (state.destination, state))
                .collect(),
        })
    }

    pub(super) fn is_disabled(&self, destination: DestinationId) -> bool {
        let state = self.destinations.get(&destination);
        state.is_some_and(|state| state.disabled().is_some())
    }

    pub(super) fn disabled(&self) -> Vec<DestinationId> {
        let destinations = self.destinations.keys().copied();
        destinations
            .filter(|destination| self.is_disabled(*destination))
            .collect()
    }

    pub(super) fn all_are(&self, ids: &[DeliveryId], state: DeliveryState) {
        assert!(!ids.is_empty());
        for id in ids {
            let found = self.decided.get(id).map(|decided| decided.state);
            assert_eq!(found, Some(state), "{id}");
        }
    }

    pub(super) fn all_held(&self, ids: &[DeliveryId]) {
        assert!(!ids.is_empty());
        for id in ids {
            let held = self
                .owed
                .get(id)
                .is_some_and(|o| self.is_disabled(o.destination));
            assert!(held, "{id} is not held");
        }
    }
}

impl Snapshot {
    /// What should have become of an event.
    pub(super) fn result(&self, event: EventId) -> EventResult {
        let event = Some(event);
        if self.owed.values().any(|row| row.event_id == event) {
            return EventResult::Running;
        }
        let mut decided = self.decided.values().filter(|row| row.event_id == event);
        match decided.any(|row| row.state == DeliveryState::Exhausted) {
            true => EventResult::Failed,
            false => EventResult::Succeeded,
        }
    }
}
