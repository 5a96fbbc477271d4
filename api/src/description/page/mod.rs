//! The page at `/docs`: the OpenAPI document as HTML. It needs no script, and asks no other
//! server for anything.

mod members;
mod text;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use members::{anchor, members, row, table};
use text::{escaped, inline, paragraphs};

const STYLE: &str = include_str!("style.css");

/// The page, and the policy that keeps everything else out of it.
pub(super) struct Page {
    pub(super) html: String,
    pub(super) policy: String,
}

impl Page {
    pub(super) fn of(document: &Value) -> Self {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        Self {
            html: Writer { document }.page(),
            policy: format!(
                "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
        }
    }
}

struct Writer<'a> {
    document: &'a Value,
}

impl Writer<'_> {
    fn page(&self) -> String {
        let info = |member| self.text(&format!("/info/{member}"));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} API</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#content\">Skip to the content</a>\n{nav}\
             <main id=\"content\">\n<h1>{title} API <span class=\"quiet\">{version}</span></h1>\n\
             <p>{summary} This page as a document for programs: \
             <a href=\"/openapi.json\"><code>/openapi.json</code></a>; what webhooks get: \
             <a href=\"/schemas/user.action.json\"><code>/schemas/user.action.json</code></a>.</p>\n\
             {about}{usual}{sections}{webhooks}{objects}</main>\n</body>\n</html>\n",
            title = escaped(info("title")),
            version = escaped(info("version")),
            summary = inline(info("summary")),
            nav = self.navigation(),
            about = paragraphs(info("description")),
            usual = self.usual_answers(),
            sections = self.sections(),
            webhooks = self.webhooks(),
            objects = self.objects(),
        )
    }

    fn text(&self, pointer: &str) -> &str {
        let value = self.document.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or_default()
    }

    fn members_of(&self, pointer: &str) -> impl Iterator<Item = (&String, &Value)> {
        let object = self.document.pointer(pointer).and_then(Value::as_object);
        object.into_iter().flatten()
    }

    fn tags(&self) -> impl Iterator<Item = &Value> {
        let tags = self.document.get("tags").and_then(Value::as_array);
        tags.into_iter().flatten()
    }

    fn navigation(&self) -> String {
        let tags = self.tags().map(|tag| string(tag, "name"));
        let links: String = tags
            .chain(["Webhook requests", "Objects"])
            .map(|name| {
                format!(
                    "<li><a href=\"#{}\">{}</a></li>\n",
                    section_anchor(name),
                    escaped(name)
                )
            })
            .collect();
        format!("<nav aria-label=\"Sections\">\n<ul>\n{links}</ul>\n</nav>\n")
    }

    /// Those that most operations only refer to.
    fn usual_answers(&self) -> String {
        let answers = self.members_of("/components/responses");
        let answers: String = answers
            .map(|(name, answer)| {
                let about = inline(string(answer, "description"));
                format!(
                    "<dt id=\"{}\">{}</dt><dd>{about}</dd>\n",
                    answer_anchor(name),
                    spaced(name)
                )
            })
            .collect();
        format!(
            "<details><summary>Answers that most requests may get</summary><div><dl>\n{answers}</dl></div></details>\n"
        )
    }

    fn sections(&self) -> String {
        self.tags()
            .map(|tag| {
                let name = string(tag, "name");
                let about = paragraphs(string(tag, "description"));
                let operations = self.operations("/paths", |operation| {
                    operation.pointer("/tags/0").and_then(Value::as_str) == Some(name)
                });
                let (id, name) = (section_anchor(name), escaped(name));
                format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{name}</h2>\n{about}{operations}</section>\n")
            })
            .collect()
    }

    fn webhooks(&self) -> String {
        format!(
            "<section aria-labelledby=\"section-webhook-requests\">\n<h2 id=\"section-webhook-requests\">Webhook requests</h2>\n\
             <p>What Beadle sends.</p>\n{}</section>\n",
            self.operations("/webhooks", |_| true)
        )
    }

    fn operations(&self, place: &str, wanted: impl Fn(&Value) -> bool) -> String {
        let mut html = String::new();
        for (path, methods) in self.members_of(place) {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                if wanted(operation) {
                    html.push_str(&self.operation(path, method, operation));
                }
            }
        }
        html
    }

    fn operation(&self, path: &str, method: &str, operation: &Value) -> String {
        format!(
            "<details id=\"{id}\"><summary><span class=\"verb {method}\">{verb}</span> <code>{path}</code> \
             <span class=\"quiet\">{summary}</span></summary><div>\n{about}{key}{parameters}{body}{answers}</div></details>\n",
            id = escaped(string(operation, "operationId")),
            verb = method.to_uppercase(),
            path = escaped(path),
            summary = inline(string(operation, "summary")),
            about = paragraphs(string(operation, "description")),
            key = key(operation),
            parameters = self.parameters(operation),
            body = body(operation),
            answers = self.answers(operation),
        )
    }

    fn resolved<'b>(&'b self, value: &'b Value) -> &'b Value {
        let reference = value.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|reference| reference.strip_prefix('#'));
        target
            .and_then(|pointer| self.document.pointer(pointer))
            .unwrap_or(value)
    }

    fn parameters(&self, operation: &Value) -> String {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let rows: String = parameters
            .into_iter()
            .flatten()
            .map(|parameter| {
                let parameter = self.resolved(parameter);
                let required = parameter.get("required") == Some(&Value::Bool(true));
                let schema = parameter.get("schema").unwrap_or(&Value::Null);
                let about = string(parameter, "description");
                let name = string(parameter, "name");
                let place = string(parameter, "in");
                row(&format!("{name} ({place})"), schema, required, about)
            })
            .collect();
        match rows.is_empty() {
            true => String::new(),
            false => format!(
                "<h4>Parameters</h4>\n{}",
                table(&["name", "kind", "", "meaning"], &rows)
            ),
        }
    }

    fn answers(&self, operation: &Value) -> String {
        let answers = operation.get("responses").and_then(Value::as_object);
        let (mut own, mut usual) = (String::new(), Vec::new());
        for (status, answer) in answers.into_iter().flatten() {
            if let Some(reference) = answer.get("$ref").and_then(Value::as_str) {
                let name = reference.rsplit('/').next().unwrap_or_default();
                usual.push(format!(
                    "<a href=\"#{}\">{}</a>",
                    answer_anchor(name),
                    escaped(status)
                ));
                continue;
            }
            let schema = answer.pointer("/content/application~1json/schema");
            own.push_str(&format!(
                "<dt><strong>{}</strong> {}</dt><dd>{}</dd>\n",
                escaped(status),
                inline(string(answer, "description")),
                schema.map(members).unwrap_or_default(),
            ));
        }
        let usual = match usual.is_empty() {
            true => String::new(),
            false => format!("<p class=\"quiet\">Also {}.</p>\n", usual.join(", ")),
        };
        format!("<h4>Answers</h4>\n<dl>\n{own}</dl>\n{usual}")
    }

    fn objects(&self) -> String {
        let objects: String = self
            .members_of("/components/schemas")
            .map(|(name, schema)| {
                format!(
                    "<details id=\"{}\"><summary><code>{}</code></summary><div>\n{}{}</div></details>\n",
                    escaped(&anchor(name)),
                    escaped(name),
                    paragraphs(string(schema, "description")),
                    members(schema),
                )
            })
            .collect();
        format!(
            "<section aria-labelledby=\"section-objects\">\n<h2 id=\"section-objects\">Objects</h2>\n\
             <p>As answers show them; as requests give them: <code>…Input</code>; as a PATCH \
             changes them: <code>…Patch</code>.</p>\n{objects}</section>\n"
        )
    }
}

fn key(operation: &Value) -> String {
    let keys = operation.get("security").and_then(Value::as_array);
    let text = match keys.map(Vec::as_slice) {
        None => return String::new(),
        Some([]) => "No key is asked for.",
        Some([only]) if only.get("managerKey").is_some() => "Takes a key that manages keys.",
        Some(_) => "A key is not always asked for.",
    };
    format!("<p class=\"quiet\">{text}</p>\n")
}

fn body(operation: &Value) -> String {
    let content = operation
        .pointer("/requestBody/content")
        .and_then(Value::as_object);
    let bodies: String = content
        .into_iter()
        .flatten()
        .map(|(media_type, content)| {
            format!(
                "<h4>Body <span class=\"quiet\">{}</span></h4>\n{}",
                escaped(media_type),
                content.get("schema").map(members).unwrap_or_default()
            )
        })
        .collect();
    bodies
}

fn string<'a>(value: &'a Value, member: &str) -> &'a str {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Where a section begins.
fn section_anchor(name: &str) -> String {
    format!("section-{}", name.to_lowercase().replace(' ', "-"))
}

/// Where an answer is told that others refer to.
fn answer_anchor(name: &str) -> String {
    format!("answer-{name}")
}

/// `TooLarge` as words.
fn spaced(name: &str) -> String {
    let mut words = String::new();
    for char in name.chars() {
        if char.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(char);
    }
    words
}
