//! Shapes of templates: what is small to write and large to parse, to run or to strip.

use beadle_tests::{Client, TestDatabase};
use serde_json::{Value, json};

use super::{World, key, must_be_answered};

beadle_tests::both_backends!(
    no_template_costs_the_others_anything,
    what_helpers_return_is_bounded,
);

/// More than this is never needed, whatever somebody writes.
const MOST_MEMORY: u64 = 300 << 20;

/// A key for those who write templates, and may do nothing else.
async fn author(world: &World) -> Client {
    let endpoints = json!({
        "/api/email/template": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "/api/email/template/preview": ["POST"],
    });
    let wanted = json!({"name": "Author", "permissions": {"endpoints": endpoints}});
    let key = key(&world.app.client, wanted).await;
    world.app.client.with_key(&key)
}

fn template(html: &str, text: &str) -> Value {
    json!({
        "name": "Attack",
        "defaultSubject": "Subject",
        "defaultHtmlTemplate": html,
        "defaultTextTemplate": text,
    })
}

/// What `json` makes of a text is a text again, with twice the backslashes.
fn doubling(levels: usize) -> String {
    let calls = (0..levels).fold("user.email".to_owned(), |inner, _| {
        format!("(json {inner})")
    });
    format!("{{{{#if (eq 1 {calls})}}}}a{{{{/if}}}}")
}

/// Loops within loops that write nothing.
fn looping() -> String {
    let each = "{{#each @root.user}}".repeat(12);
    format!("{each}{}", "{{/each}}".repeat(12))
}

fn with_translations(count: usize) -> Value {
    let mut template = template("<p>Text</p>", "Text");
    let languages = ["de", "fr", "es", "it", "pl"];
    let countries = ["DE", "FR", "ES", "IT", "PL"];
    let locales = languages
        .iter()
        .flat_map(|language| countries.map(|country| format!("{language}_{country}")));
    let texts: Value = locales
        .take(count)
        .map(|locale| (locale, looping().into()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for member in [
        "localizedSubjects",
        "localizedHtmlTemplates",
        "localizedTextTemplates",
    ] {
        template[member] = texts.clone();
    }
    template
}

fn attacks() -> Vec<(&'static str, Value)> {
    const LARGE: usize = 256 << 10;
    let ampersands = "&".repeat(LARGE);
    let comments = "{{!}}\n".repeat(LARGE / 6);
    let open = "<".repeat(LARGE);
    vec![
        ("ampersands", template(&ampersands, "Text")),
        ("lines of comments", template(&comments, &comments)),
        ("tags that never end", template(&open, "Text")),
        ("25 translations that loop", with_translations(25)),
        ("a loop", template(&looping(), &looping())),
        ("values that double", template("<p>Text</p>", &doubling(24))),
    ]
}

async fn no_template_costs_the_others_anything(db: TestDatabase) {
    let mut world = World::start(db).await;
    let author = author(&world).await;
    let innocent = world.innocent().await;
    for (what, template) in attacks() {
        let body = json!({"emailTemplate": template});
        innocent
            .endures(what, async || {
                for path in ["/api/email/template", "/api/email/template/preview"] {
                    must_be_answered(what, &author.post(path, &body).await);
                }
            })
            .await;
    }
    world.read_everything().await;
    world.check_alive();
}

async fn what_helpers_return_is_bounded(db: TestDatabase) {
    let mut world = World::start(db).await;
    let author = author(&world).await;
    for levels in [4, 12, 20, 24, 28] {
        let text = doubling(levels);
        let body = json!({"emailTemplate": template(&text, &text)});
        let path = "/api/email/template/preview";
        must_be_answered("values that double", &author.post(path, &body).await);
    }
    let peak = world.app.api().peak_memory();
    assert!(peak < MOST_MEMORY, "{} MiB", peak >> 20);
    world.check_alive();
}
