//! What is computed for each action and each delivery, away from sockets and databases.

#![expect(
    clippy::expect_used,
    reason = "what cannot be set up cannot be measured"
)]

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

use beadle_common::id::{ActionLogId, EventId, TenantId, UserId};
use beadle_common::locale::{Locale, LocalizedText, choose};
use beadle_common::model::user_action::Phase;
use beadle_common::render::{CompiledTemplate, EmailTexts, Renderer, Texts};
use beadle_common::sign::{LiveKeys, MessageId, SigningKey, WebhookPair, WebhookSecret, sign};
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{EventView, UserActionEvent};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

const TEXT: &str = "Guten Tag {{user.fullName}},\n\nDanke für den {{date event.createInstant}}.\n\
     {{#if event.comment}}\n{{event.comment}}\n{{/if}}\nPied Piper\n";

const HTML: &str = "<html><body><h1>{{user.fullName}}</h1><p>{{date event.createInstant}}</p>\
     {{#if event.comment}}<blockquote>{{event.comment}}</blockquote>{{/if}}</body></html>";

criterion_group!(name = pure; config = hurried(); targets = signing, events, templates, locales);
criterion_main!(pure);

/// Everything takes microseconds; a few seconds are enough.
fn hurried() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
}

fn event() -> UserActionEvent {
    let info = json!({"ipAddress": "192.0.2.1", "data": {"sent_at": 1_750_000_000_000_000_u64}});
    let actionee = UserId::random();
    UserActionEvent {
        action: "Thank".to_owned(),
        action_id: ActionLogId::sequential(),
        actionee_user_id: actionee,
        actioner_user_id: Some(UserId::random()),
        application_ids: Vec::new(),
        comment: Some("For all that was done".to_owned()),
        create_instant: NOW,
        email: None,
        emailed_user: false,
        expiry: None,
        id: EventId::sequential(),
        info: info.as_object().cloned().unwrap_or_default(),
        last_update_instant: None,
        linked_object_id: actionee,
        localized_action: "Danken".to_owned(),
        localized_duration: None,
        localized_option: None,
        localized_reason: None,
        notify_user: false,
        option: None,
        phase: Phase::Start,
        reason: None,
        reason_code: None,
        tenant_id: TenantId::random(),
        event_type: UserActionEvent::TYPE,
    }
}

fn body() -> String {
    serde_json::to_string(&EventView { event: &event() }).expect("an event is JSON")
}

/// The signature header of one delivery.
fn signing(criterion: &mut Criterion) {
    let secret = WebhookSecret::from_bytes(&[0x5c; 32]).expect("a secret");
    let pair = WebhookPair::generate(|seed| {
        seed.fill(0x5c);
        Ok::<_, Infallible>(())
    });
    let Ok(pair) = pair;
    let pair = LiveKeys::new(vec![SigningKey::V1a(pair)]).expect("a key");
    let id = MessageId::parse("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W").expect("an Id");
    let body = body();
    for (name, keys) in [("v1", LiveKeys::from(secret)), ("v1a", pair)] {
        criterion.bench_function(&format!("sign/{name}"), |bencher| {
            bencher.iter(|| sign(&keys, &id, 1_750_000_000, black_box(body.as_bytes())));
        });
    }
}

/// The body of an event.
fn events(criterion: &mut Criterion) {
    let event = event();
    criterion.bench_function("event/serialize", |bencher| {
        bencher.iter(|| {
            serde_json::to_string(&EventView {
                event: black_box(&event),
            })
        });
    });
}

/// A template that is read, and a mail of a subject, a name and two parts.
fn templates(criterion: &mut Criterion) {
    criterion.bench_function("template/compile", |bencher| {
        bencher.iter(|| CompiledTemplate::parse(black_box(HTML)));
    });
    let texts = EmailTexts {
        subject: localized("Thank you, {{user.fullName}}"),
        from_name: Texts {
            default: Some("Pied Piper".to_owned()),
            ..Texts::default()
        },
        html: localized(HTML),
        text: localized(TEXT),
    };
    let (preferred, variables) = ([locale("de")], variables());
    let zone = Some("Europe/Zurich");
    let render = || Renderer::new(&texts, black_box(&variables).clone()).email(&preferred, zone);
    render().expect("a mail");
    criterion.bench_function("template/render mail", |bencher| {
        bencher.iter(render);
    });
}

fn variables() -> Value {
    json!({
        "user": {"fullName": "Big Head"},
        "event": {"createInstant": NOW.millis(), "comment": "For all that was done"},
    })
}

fn localized(text: &str) -> Texts<String> {
    Texts {
        default: text.to_owned(),
        localized: LocalizedText::from([(locale("de"), text.to_owned())]),
    }
}

fn locale(text: &str) -> Locale {
    Locale::parse(text).expect("a locale")
}

/// The translation for a reader whose last preference is the first that there is.
fn locales(criterion: &mut Criterion) {
    let translations = ["ar", "de", "en", "fr", "he", "it", "ja", "pt_BR", "zh_TW"];
    let texts: LocalizedText = translations
        .map(|name| (locale(name), name.to_owned()))
        .into();
    let preferred = ["sv_SE", "nb_NO", "pt_PT", "de_AT"].map(locale);
    criterion.bench_function("locale/choose", |bencher| {
        bencher.iter(|| choose(black_box(&preferred), black_box(&texts)).is_some());
    });
}
