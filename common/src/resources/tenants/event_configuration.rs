//! `tenant.eventConfiguration`: which events a tenant raises, and who has a say in them.

use crate::model::user_action::TransactionType;
use serde_json::{Map, Value, json};

use crate::resources::event_types::{EventKind, kind_of};
use crate::resources::input::Object;
use crate::resources::problem::Prefix;

/// `{"events": {type: {"enabled", "transactionType"}}}` with everything filled in.
pub(super) fn read_event_configuration(tenant: &Object<'_>) -> Map<String, Value> {
    let events = tenant
        .object("eventConfiguration")
        .and_then(|configuration| Some((configuration.object("events")?, configuration)))
        .map(|(events, configuration)| read_events(&events, &configuration))
        .unwrap_or_default();
    Map::from_iter([("events".to_owned(), Value::Object(events))])
}

fn read_events(events: &Object<'_>, configuration: &Object<'_>) -> Map<String, Value> {
    let mut read = Map::new();
    for name in events.members().keys() {
        let kind = match kind_of(name) {
            Some(EventKind::Instance) => continue,
            Some(kind) => kind,
            None => {
                configuration.errors().refuse_because(
                    Prefix::InvalidJson,
                    &configuration.path("events"),
                    format!("`{name}` is no event type"),
                );
                continue;
            }
        };
        if let Some(event) = events.object(name) {
            read.insert(name.clone(), read_event(&event, kind));
        }
    }
    read
}

fn read_event(event: &Object<'_>, kind: EventKind) -> Value {
    let asked = event.choice("transactionType");
    let transaction_type = match kind {
        EventKind::Transactional => asked.unwrap_or(TransactionType::None),
        EventKind::NonTransactional | EventKind::Instance => TransactionType::None,
    };
    json!({"enabled": event.flag("enabled", false), "transactionType": transaction_type})
}
