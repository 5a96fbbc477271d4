//! Complete messages, as they go over the wire, for readers of ten locales.

use std::collections::BTreeMap;

use beadle_common::id::EmailId;
use beadle_common::locale::{Locale, LocalizedText};
use beadle_common::mail::{EmailDraft, QueuedEmail, Setup, sample};
use beadle_common::model::email::Mailbox as StoredMailbox;
use beadle_common::model::email_template::EmailTemplate;
use beadle_common::render::{EmailTexts, Renderer, Texts};
use mail_parser::MessageParser;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

/// The last one is no language that anybody knows.
const LOCALES: [&str; 10] = [
    "en", "de_AT", "fr_CA", "pt_BR", "es", "pl", "ja", "zh_TW", "ar_EG", "xx",
];

fn localized(texts: &[(&str, &str)]) -> LocalizedText {
    let entry =
        |(locale, text): &(&str, &str)| (Locale::parse(locale).unwrap(), (*text).to_owned());
    texts.iter().map(entry).collect::<BTreeMap<_, _>>()
}

fn texts() -> EmailTexts {
    const DATES: &str =
        "{{datetime event.createInstant}} / {{number 1234567.5}} / {{duration 172800000}}";
    let body = |words: &str| format!("{words} {DATES}\n");
    let page = |words: &str| {
        format!(
            "<html lang=\"{{{{locale.tag}}}}\" dir=\"{{{{locale.dir}}}}\"><p>{words} {DATES}</p></html>"
        )
    };
    let words = [
        ("de", "Sie sind gesperrt, {{user.firstName}}."),
        ("fr", "Vous êtes bloqué, {{user.firstName}}."),
        ("pt_BR", "Você está bloqueado, {{user.firstName}}."),
        (
            "pl",
            "{{plural 3 one=\"dzień\" few=\"dni\" other=\"dnia\"}}",
        ),
        ("ja", "{{user.firstName}}さん、ロックされました。"),
        ("zh_TW", "{{user.firstName}},您已被鎖定。"),
        ("ar", "تم حظرك يا {{user.firstName}}."),
    ];
    let all = |make: &dyn Fn(&str) -> String| {
        let texts: Vec<(&str, String)> = words.iter().map(|(l, text)| (*l, make(text))).collect();
        let texts: Vec<(&str, &str)> = texts.iter().map(|(l, text)| (*l, text.as_str())).collect();
        localized(&texts)
    };
    let default = "You are locked, {{user.firstName}}.";
    EmailTexts {
        subject: Texts {
            default: default.to_owned(),
            localized: all(&str::to_owned),
        },
        from_name: Texts {
            default: Some("Pied Piper".to_owned()),
            localized: localized(&[("ja", "パイド・パイパー")]),
        },
        html: Texts {
            default: page(default),
            localized: all(&page),
        },
        text: Texts {
            default: body(default),
            localized: all(&body),
        },
    }
}

fn template() -> EmailTemplate {
    EmailTemplate {
        id: beadle_common::id::EmailTemplateId::random(),
        name: "Locked".to_owned(),
        name_normalized: "locked".to_owned(),
        from_email: Some("news@piedpiper.example".to_owned()),
        default_from_name: None,
        default_subject: String::new(),
        default_html_template: String::new(),
        default_text_template: String::new(),
        localized_from_names: beadle_common::db::Json(BTreeMap::new()),
        localized_html_templates: beadle_common::db::Json(BTreeMap::new()),
        localized_subjects: beadle_common::db::Json(BTreeMap::new()),
        localized_text_templates: beadle_common::db::Json(BTreeMap::new()),
        version: 1,
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

fn tenant(configuration: &Value) -> Tenant {
    Tenant {
        id: TenantId::random(),
        name: "Hooli".to_owned(),
        name_normalized: "hooli".to_owned(),
        is_default: false,
        data: beadle_common::db::JsonText::empty_object(),
        email_configuration: beadle_common::db::Json(configuration.as_object().unwrap().clone()),
        smtp_password: None,
        event_configuration: beadle_common::db::Json(Map::new()),
        settings: beadle_common::db::Json(Map::new()),
        insert_instant: NOW,
        last_update_instant: NOW,
    }
}

fn mail(texts: &EmailTexts, languages: &[Locale], display: &str) -> QueuedEmail {
    let setup = Setup {
        mail_from: StoredMailbox {
            address: "no-reply@localhost".to_owned(),
            display: None,
        },
        base_url: None,
    };
    let tenant = tenant(&json!({
        "additionalHeaders": [{"name": "X-Campaign", "value": "spring"}],
    }));
    let rendered = Renderer::new(texts, sample().clone())
        .email(languages, Some("Europe/Vienna"))
        .unwrap();
    let job = EmailDraft {
        setup: &setup,
        tenant: &tenant,
        template: &template(),
        action_log: None,
        event: None,
        user: None,
        to: vec![StoredMailbox {
            address: "erlich@users.example".to_owned(),
            display: Some(display.to_owned()),
        }],
        cc: Vec::new(),
        bcc: Vec::new(),
        languages,
        unsubscribe: "https://piedpiper.example/stop?user=42".parse().ok(),
        now: NOW,
    };
    let mut mail = job.mail(rendered);
    mail.row.id = EmailId::from(uuid::Uuid::nil());
    mail.row.message_id = "<5dba9944@piedpiper.example>".to_owned();
    mail
}

fn bytes(mail: &QueuedEmail) -> Vec<u8> {
    message(&mail.row, &Signers::none()).unwrap().bytes
}

#[test]
fn readers_of_ten_locales_get_these_messages() {
    for name in LOCALES {
        let languages = [Locale::parse(name).unwrap()];
        let message = bytes(&mail(&texts(), &languages, "Erlich Bächman"));
        let message = String::from_utf8(message).unwrap().replace("\r\n", "\n");
        insta::assert_snapshot!(format!("message_{name}"), message);
    }
}

proptest! {
    #[test]
    fn what_the_event_shows_is_what_is_sent(
        subject in "[a-zA-Z0-9äöüßжでك .,:;!?/=+\n-]{1,200}",
        text in "[a-zA-Z0-9äöüßжでك .,:;!?/=+\n-]{1,400}",
        display in "[a-zA-Zäöüжで .,:;@<>()]{1,40}",
    ) {
        let plain = |text: &str| Texts { default: text.to_owned(), localized: BTreeMap::new() };
        let email = EmailTexts {
            subject: plain(&subject),
            from_name: Texts { default: Some(display.clone()), localized: BTreeMap::new() },
            html: plain(&format!("<p>{text}</p>")),
            text: plain(&format!("{text}.")),
        };
        let mail = mail(&email, &[], &display);
        let shown = mail.view();
        let bytes = bytes(&mail);
        let sent = MessageParser::default().parse(&bytes).unwrap();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines = |text: &str| text.replace("\r\n", "\n");
        prop_assert_eq!(words(sent.subject().unwrap_or_default()), words(&shown.subject));
        prop_assert_eq!(lines(&sent.body_text(0).unwrap()), lines(&shown.text));
        prop_assert_eq!(lines(&sent.body_html(0).unwrap()), lines(&shown.html));
        let from = sent.from().unwrap().first().unwrap();
        prop_assert_eq!(from.address().unwrap(), &shown.from.address);
    }
}
