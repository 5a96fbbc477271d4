//! What a template may name. Everything that the schema knows is always there: what is
//! absent this time is null, which is empty in the output and false in conditions.

use serde_json::{Map, Value};

/// The values of this mail; `Value::Null` for what it has not.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// The log.
    pub action: Value,
    /// Who acts.
    pub actioner: Value,
    /// The application in scope.
    pub application: Value,
    /// `baseUrl`
    pub base_url: Value,
    /// The event of the phase.
    pub event: Value,
    /// Whatever the caller of the send API passes on.
    pub request_data: Value,
    /// The recipient's tenant.
    pub tenant: Value,
    /// The recipient.
    pub user: Value,
    /// The definition.
    pub user_action: Value,
}

impl Variables {
    /// The object that templates find their names in.
    #[must_use]
    pub fn into_json(self) -> Value {
        let members = [
            ("action", self.action),
            ("actioner", self.actioner),
            ("application", self.application),
            ("baseUrl", self.base_url),
            ("event", self.event),
            ("requestData", self.request_data),
            ("tenant", self.tenant),
            ("user", self.user),
            ("userAction", self.user_action),
        ];
        let members = members.into_iter();
        Value::Object(
            members
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }
}

/// Names that may be absent from the object exist as null.
#[must_use]
pub fn with_nulls(value: serde_json::Result<Value>, names: &[&str]) -> Value {
    let mut map = match value {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for name in names {
        map.entry(*name).or_insert(Value::Null);
    }
    Value::Object(map)
}
