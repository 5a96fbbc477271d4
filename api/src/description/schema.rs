//! JSON Schema (2020-12) of what [`beadle_common::resources::field`] describes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use beadle_common::resources::field::{Field, Kind, Object, Presence};

/// Which way an object travels: what has to be there differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// In an answer, or in an event.
    Shown,
    /// In a request.
    Given,
    /// In a request that changes a part: nothing is required, and null removes.
    Patched,
}

impl Side {
    fn suffix(self) -> &'static str {
        match self {
            Self::Shown => "",
            Self::Given => "Input",
            Self::Patched => "Patch",
        }
    }

    fn presence(self, field: &Field) -> Presence {
        match self {
            Self::Shown => field.shown,
            Self::Given => field.given,
            Self::Patched if field.given == Presence::No => Presence::No,
            Self::Patched => Presence::Maybe,
        }
    }
}

/// Schemas that others refer to by name.
pub(super) struct Schemas {
    prefix: &'static str,
    named: BTreeMap<String, Value>,
}

impl Schemas {
    /// `prefix` is where the names will stand in the document.
    pub(super) fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            named: BTreeMap::new(),
        }
    }

    /// All that were referred to.
    pub(super) fn into_json(self) -> Value {
        Value::Object(self.named.into_iter().collect())
    }

    /// The object, by its name if it has one.
    pub(super) fn object(&mut self, object: &Object, side: Side) -> Value {
        if object.name.is_empty() {
            return self.members(object, side);
        }
        let name = format!("{}{}", object.name, side.suffix());
        if !self.named.contains_key(&name) {
            // Taken first, for objects that contain themselves.
            self.named.insert(name.clone(), Value::Null);
            let schema = self.members(object, side);
            self.named.insert(name.clone(), schema);
        }
        json!({"$ref": format!("{}{name}", self.prefix)})
    }

    fn members(&mut self, object: &Object, side: Side) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in object.fields {
            let presence = side.presence(field);
            if presence == Presence::No {
                continue;
            }
            if presence == Presence::Always {
                required.push(field.name);
            }
            properties.insert(field.name.to_owned(), self.field(field, side));
        }
        let mut schema = json!({"type": "object", "properties": properties});
        set(&mut schema, "description", text(object.about));
        if !required.is_empty() {
            set(&mut schema, "required", Some(json!(required)));
        }
        set(
            &mut schema,
            "additionalProperties",
            object.open.then_some(Value::Bool(true)),
        );
        schema
    }

    /// The member with its description and default.
    pub(super) fn field(&mut self, field: &Field, side: Side) -> Value {
        let mut schema = self.kind(&field.kind, side);
        if side == Side::Patched {
            schema = json!({"anyOf": [schema, {"type": "null"}]});
        }
        set(&mut schema, "description", text(field.about));
        if side == Side::Given {
            set(&mut schema, "default", field.default.map(default));
        }
        schema
    }

    /// What a member of this kind holds.
    pub(super) fn kind(&mut self, kind: &Kind, side: Side) -> Value {
        match kind {
            Kind::Text | Kind::LongText(_) => json!({"type": "string"}),
            Kind::ShortText(longest) => json!({"type": "string", "maxLength": longest}),
            Kind::Email => json!({"type": "string", "format": "email"}),
            Kind::Uri => json!({"type": "string", "format": "uri"}),
            Kind::Date => json!({"type": "string", "format": "date"}),
            Kind::Locale => json!({"type": "string", "examples": ["de", "es_MX", "zh_Hant_TW"]}),
            Kind::Id => json!({"type": "string", "format": "uuid"}),
            Kind::Instant => json!({"type": "integer", "format": "int64"}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Integer(least, most) => integer(*least, *most),
            Kind::Number => json!({"type": "number"}),
            Kind::Word(words) => json!({"type": "string", "enum": words}),
            // A patch appends whole elements, or replaces the list.
            Kind::List(element) if side == Side::Patched => {
                json!({"type": "array", "items": self.kind(element, Side::Given)})
            }
            Kind::List(element) => json!({"type": "array", "items": self.kind(element, side)}),
            Kind::Map(value) => {
                json!({"type": "object", "additionalProperties": self.kind(value, side)})
            }
            Kind::Localized => json!({
                "type": "object",
                "additionalProperties": {"type": "string"},
                "examples": [{"de": "Sperre", "fr_CA": "Bannissement"}],
            }),
            Kind::Data => json!({"type": "object", "additionalProperties": true}),
            Kind::Any => json!({}),
            Kind::Object(object) => self.object(object, side),
        }
    }
}

fn integer(least: i64, most: i64) -> Value {
    let mut schema = json!({"type": "integer", "format": "int64", "minimum": least});
    set(
        &mut schema,
        "maximum",
        (most < i64::MAX).then(|| most.into()),
    );
    schema
}

fn default(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// A text as JSON, unless it is empty.
pub(super) fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::from(text))
}

/// Adds a member, if it has a value.
pub(super) fn set(object: &mut Value, member: &str, value: Option<Value>) {
    if let (Value::Object(members), Some(value)) = (object, value) {
        members.insert(member.to_owned(), value);
    }
}
