//! The OpenAPI document, made of the routes that the server has.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::event;
use super::operation::{Answer, At, Body, Content, Operation, Search};
use super::routes::{Routes, Section};
use super::schema::{Schemas, Side, set, text};
use super::shared::{ABOUT, ERRORS, ORDER, PAGING, SCHEMAS, errors_content, json_patch, shared};
use crate::extract::{Access, Endpoint};
use beadle_common::resources::field::{Field, Object};

/// The OpenAPI document of this version.
#[must_use]
pub(crate) fn document(sections: &[Section]) -> Value {
    let mut document = Document::new();
    let mut tags = Vec::new();
    for section in sections {
        tags.push(json!({"name": section.name, "description": section.about}));
        for routes in &section.routes {
            document.add(section, routes);
        }
    }
    let webhooks = event::webhooks(&mut document.schemas);
    let mut components = shared();
    set(
        &mut components,
        "schemas",
        Some(document.schemas.into_json()),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Beadle",
            "summary": "Acts on users, and tells those who have to know.",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that this document comes from"}],
        "security": [{"key": []}],
        "tags": tags,
        "paths": document.paths,
        "webhooks": webhooks,
        "components": components,
    })
}

struct Document {
    paths: Map<String, Value>,
    schemas: Schemas,
}

impl Document {
    fn new() -> Self {
        let mut schemas = Schemas::new(SCHEMAS);
        schemas.object(&ERRORS, Side::Shown);
        Self {
            paths: Map::new(),
            schemas,
        }
    }

    fn add(&mut self, section: &Section, routes: &Routes) {
        for path in &routes.paths {
            let mut methods = Map::new();
            for described in &routes.methods {
                let here = described.operations.iter().filter(|operation| {
                    match (operation.at, path.ends_with('}')) {
                        (At::Both, _) => true,
                        (At::Id, with_id) => with_id,
                        (At::NoId, with_id) => !with_id,
                    }
                });
                for operation in here {
                    let place = Place {
                        section,
                        routes,
                        path,
                        method: &described.method,
                    };
                    let method = described.method.as_str().to_lowercase();
                    methods.insert(method, self.operation(&place, operation));
                }
            }
            if !methods.is_empty() {
                self.paths.insert(path.clone(), Value::Object(methods));
            }
        }
    }

    fn operation(&mut self, place: &Place<'_>, operation: &Operation) -> Value {
        let mut described = json!({
            "tags": [place.section.name],
            "operationId": place.operation_id(operation),
            "summary": operation.summary,
            "responses": self.responses(place, operation),
        });
        set(&mut described, "description", text(operation.about));
        let parameters = self.parameters(place, operation);
        set(
            &mut described,
            "parameters",
            (!parameters.is_empty()).then_some(Value::Array(parameters)),
        );
        let body = self.body(place.method, operation);
        set(&mut described, "requestBody", body);
        set(&mut described, "security", place.security());
        described
    }

    fn parameters(&mut self, place: &Place<'_>, operation: &Operation) -> Vec<Value> {
        let mut parameters: Vec<Value> = place
            .names()
            .map(|name| {
                let about = format!("Id of the {}", words(name));
                let schema = self.schemas.kind(&place.routes.kind_of(name), Side::Given);
                json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema})
            })
            .collect();
        for field in operation.query {
            parameters.push(self.query_parameter(field, field.about));
        }
        if let Body::Search(search) = operation.body
            && *place.method == Method::GET
        {
            let criteria = criteria(search);
            parameters.extend(
                criteria
                    .iter()
                    .map(|(field, about)| self.query_parameter(field, about)),
            );
        }
        if place.routes.endpoint.is_some() {
            parameters.push(json!({"$ref": "#/components/parameters/TenantId"}));
            if *place.method == Method::POST && place.routes.knows_idempotency() {
                parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
            }
        }
        parameters
    }

    fn query_parameter(&mut self, field: &Field, about: &str) -> Value {
        let schema = self.field(&Field {
            about: "",
            ..*field
        });
        let mut parameter = json!({"name": field.name, "in": "query", "schema": schema});
        set(&mut parameter, "description", text(about));
        parameter
    }

    fn field(&mut self, field: &Field) -> Value {
        self.schemas.field(field, Side::Given)
    }

    fn body(&mut self, method: &Method, operation: &Operation) -> Option<Value> {
        match operation.body {
            Body::Nothing => None,
            Body::Object(object) => Some(self.json_body(object, true)),
            Body::Maybe(object) => Some(self.json_body(object, false)),
            Body::Patch(object) => {
                let patch = self.schemas.object(object, Side::Patched);
                let operations = self.schemas.kind(&json_patch(), Side::Given);
                Some(json!({"required": true, "content": {
                    "application/json": {"schema": patch},
                    "application/merge-patch+json": {"schema": patch},
                    "application/json-patch+json": {"schema": operations},
                }}))
            }
            Body::Search(_) if *method == Method::GET => None,
            Body::Search(search) => Some(self.search_body(search)),
        }
    }

    fn json_body(&mut self, object: &Object, required: bool) -> Value {
        let schema = self.schemas.object(object, Side::Given);
        json!({"required": required, "content": {"application/json": {"schema": schema}}})
    }

    fn search_body(&mut self, search: &Search) -> Value {
        let properties: Map<String, Value> = criteria(search)
            .iter()
            .map(|(field, about)| {
                let mut schema = self.field(field);
                set(&mut schema, "description", text(about));
                (field.name.to_owned(), schema)
            })
            .collect();
        let schema = json!({
            "type": "object",
            "required": ["search"],
            "properties": {"search": {"type": "object", "properties": properties}},
        });
        json!({"required": true, "content": {"application/json": {"schema": schema}}})
    }

    fn responses(&mut self, place: &Place<'_>, operation: &Operation) -> Value {
        let mut responses = Map::new();
        for (status, name) in place.usual(operation) {
            let reference = format!("#/components/responses/{name}");
            responses.insert(status.to_owned(), json!({"$ref": reference}));
        }
        for answer in operation.answers {
            let response = self.response(answer);
            responses.insert(answer.status.to_string(), response);
        }
        Value::Object(responses)
    }

    fn response(&mut self, answer: &Answer) -> Value {
        let mut response = json!({"description": answer.about});
        let content = match answer.content {
            Content::Nothing => None,
            Content::Json(object) => {
                let schema = self.schemas.object(object, Side::Shown);
                Some(json!({"application/json": {"schema": schema}}))
            }
            Content::Errors => Some(errors_content()),
            Content::Other(media_type) => Some(json!({media_type: {}})),
        };
        set(&mut response, "content", content);
        response
    }
}

/// Where an operation stands.
struct Place<'a> {
    section: &'a Section,
    routes: &'a Routes,
    path: &'a str,
    method: &'a Method,
}

impl Place<'_> {
    /// What two paths share, or two methods, is told apart as the official clients do.
    fn operation_id(&self, operation: &Operation) -> String {
        let mut id = operation.id.to_owned();
        if operation.at == At::Both && self.routes.paths.len() > 1 && self.path.ends_with('}') {
            id.push_str("WithId");
        }
        if matches!(operation.body, Body::Search(_)) && *self.method == Method::GET {
            id.push_str("ByParameters");
        }
        id
    }

    /// The names in the path.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.path.split(['{', '}']).skip(1).step_by(2)
    }

    /// None: the rule of the document.
    fn security(&self) -> Option<Value> {
        match self.routes.endpoint {
            None => Some(json!([])),
            Some(_) if self.routes.key_is_optional => Some(json!([{"key": []}, {}])),
            Some(Endpoint {
                access: Access::Keys,
                ..
            }) => Some(json!([{"managerKey": []}])),
            Some(_) => None,
        }
    }

    /// Answers that nobody has to mention.
    fn usual(&self, operation: &Operation) -> Vec<(&'static str, &'static str)> {
        if self.routes.endpoint.is_none() {
            return Vec::new();
        }
        let mut usual = vec![
            ("400", "BadRequest"),
            ("401", "Unauthorized"),
            ("500", "InternalError"),
            ("503", "Unavailable"),
        ];
        if *self.method != Method::GET {
            usual.push(("409", "Conflict"));
        }
        let search_by_get =
            matches!(operation.body, Body::Search(_)) && *self.method == Method::GET;
        if !matches!(operation.body, Body::Nothing) && !search_by_get {
            usual.push(("413", "TooLarge"));
        }
        if *self.method == Method::POST && self.routes.knows_idempotency() {
            usual.push(("422", "IdempotencyKeyReused"));
        }
        usual
    }
}

/// `userActionReasonId` in words.
fn words(name: &str) -> String {
    let mut words = String::new();
    for char in name.trim_end_matches("Id").chars() {
        if char.is_uppercase() {
            words.push(' ');
        }
        words.extend(char.to_lowercase());
    }
    words
}

/// The criteria of a search, with those that all searches have.
fn criteria(search: &Search) -> Vec<(Field, String)> {
    let order = format!(
        "Fields to order by, separated by commas, each followed by `ASC` or `DESC` if need be: `{}`. Otherwise `{}`.",
        search.order.join("`, `"),
        search.default_order
    );
    let about = |field: &Field| match field.name {
        ORDER => order.clone(),
        _ => field.about.to_owned(),
    };
    let fields = search.criteria.iter().chain(&PAGING);
    fields.map(|field| (*field, about(field))).collect()
}
