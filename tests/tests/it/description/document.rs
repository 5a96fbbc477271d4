//! The OpenAPI document as a judge of what is really sent and answered.

use std::cell::RefCell;
use std::collections::BTreeSet;

use beadle_tests::{Client, Reply};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;

/// The document that a server serves, and what of it has been met.
pub struct Document {
    pub json: Value,
    /// The document with every object closed, so that a member nobody described is found.
    closed: Value,
    met: RefCell<BTreeSet<String>>,
    /// What was not as described.
    pub failures: RefCell<Vec<String>>,
}

impl Document {
    pub async fn of(client: &Client) -> Self {
        let json = client.without_key().get("/openapi.json").await.ok();
        let mut closed = json.clone();
        close(&mut closed);
        Self {
            json,
            closed,
            met: RefCell::default(),
            failures: RefCell::default(),
        }
    }

    /// Every operation: its method in capitals, its path, and what is said of it.
    pub fn operations(&self) -> impl Iterator<Item = (String, &str, &Value)> {
        let paths = self.json["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods
                .map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
        })
    }

    /// Holds a request against its description. One with members that are only read
    /// elsewhere is not `closed`.
    pub fn check_request(&self, (method, path): (&str, &str), body: &Value, closed: bool) {
        let document = if closed { &self.closed } else { &self.json };
        let media_type = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let operation = operation(document, method, path);
        let schema = &operation["requestBody"]["content"][media_type]["schema"];
        self.check(document, schema, body, &format!("{method} {path}"));
    }

    /// Holds an answer against its description.
    pub fn check_answer(&self, (method, path): (&str, &str), reply: &Reply) {
        let call = format!("{method} {path}: {}", reply.status);
        let described = &operation(&self.closed, method, path)["responses"];
        let answer = resolved(&self.closed, &described[reply.status.to_string()]);
        if !answer.is_object() {
            return self.fail(format!("{call} is not described: {}", reply.text()));
        }
        let content = &answer["content"];
        // Pages, metrics and schemas are described by their media type only.
        if let Some((media_type, description)) =
            content.as_object().and_then(|all| all.iter().next())
            && description.get("schema").is_none()
        {
            return self.check_media_type(media_type, reply, &call);
        }
        match &content["application/json"]["schema"] {
            Value::Null if reply.body.is_empty() => {}
            Value::Null => self.fail(format!("{call} has a body")),
            schema => self.check(&self.closed, schema, &reply.json(), &call),
        }
    }

    fn check_media_type(&self, wanted: &str, reply: &Reply, call: &str) {
        let sent = reply.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        if sent.is_none_or(|sent| !sent.starts_with(wanted.as_bytes())) {
            self.fail(format!("{call} is not {wanted}: {sent:?}"));
        }
    }

    fn fail(&self, failure: String) {
        self.failures.borrow_mut().push(failure);
    }

    fn check(&self, document: &Value, schema: &Value, instance: &Value, call: &str) {
        if !schema.is_object() {
            return self.fail(format!("{call} has no schema"));
        }
        let errors = errors(document, schema, instance);
        if !errors.is_empty() {
            self.fail(format!("{call}: {errors:#?}\n{instance:#}"));
        }
        self.meet(schema, call, instance);
    }

    /// Remembers the members of an instance by the schema that describes them.
    fn meet(&self, schema: &Value, place: &str, instance: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.meet(resolved(&self.json, schema), reference, instance);
        }
        if let Some(schema) = schema["anyOf"].get(0) {
            return self.meet(schema, place, instance);
        }
        match instance {
            Value::Object(members) => {
                for (name, value) in members {
                    if let Some(schema) = schema["properties"].get(name) {
                        let place = format!("{place}.{name}");
                        self.meet(schema, &place, value);
                        self.met.borrow_mut().insert(place);
                    } else {
                        self.meet(&schema["additionalProperties"], place, value);
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.meet(&schema["items"], place, element);
                }
            }
            _ => {}
        }
    }

    /// Members of objects with a name that were never met.
    pub fn unmet(&self) -> BTreeSet<String> {
        let schemas = self.json["components"]["schemas"].as_object().unwrap();
        let described = schemas.iter().flat_map(|(object, schema)| {
            let members = schema["properties"].as_object().unwrap().keys();
            members.map(move |name| format!("{object}.{name}"))
        });
        let met = self.met.borrow();
        described
            .filter(|member| !met.contains(&format!("#/components/schemas/{member}")))
            .collect()
    }
}

/// What is wrong with an instance, as an independent program sees it.
pub fn errors(document: &Value, schema: &Value, instance: &Value) -> Vec<String> {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let errors = validator.iter_errors(instance);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Refuses, throughout a schema, members that are not described.
pub fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object)
                && !members.contains_key("additionalProperties")
            {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

fn operation<'a>(document: &'a Value, method: &str, path: &str) -> &'a Value {
    let operation = &document["paths"][path][method.to_lowercase()];
    assert!(operation.is_object(), "{method} {path} is not described");
    operation
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.strip_prefix('#').unwrap())
            .unwrap(),
        None => value,
    }
}
