//! Which language each part of an email is in, and what its reader gets.

use super::*;
use crate::render::TemplateErrorKind;

fn locale(text: &str) -> Locale {
    Locale::parse(text).unwrap()
}

fn texts(default: &str, localized: &[(&str, &str)]) -> Texts<String> {
    let localized = localized
        .iter()
        .map(|(key, text)| (locale(key), (*text).to_owned()))
        .collect();
    Texts {
        default: default.to_owned(),
        localized,
    }
}

fn email() -> EmailTexts {
    EmailTexts {
        subject: texts(
            "Locked: {{user.name}}",
            &[("de", "Gesperrt: {{user.name}}"), ("fr", "Bloqué")],
        ),
        from_name: Texts::default(),
        html: texts(
            "<p lang='{{locale.tag}}' dir='{{locale.dir}}'>{{user.name}}</p>",
            &[(
                "de_AT",
                "<p lang='{{locale.tag}}' dir='{{locale.dir}}'>{{duration 86400000}}</p>",
            )],
        ),
        text: texts(
            "{{user.name}}, {{duration 86400000}}",
            &[("ar", "{{locale.dir}}")],
        ),
    }
}

fn render(
    texts: &EmailTexts,
    preferred: &[Locale],
    variables: &Json,
) -> Result<RenderedEmail, RenderError> {
    Renderer::new(texts, variables.clone()).email(preferred, None)
}

fn rendered(email: &EmailTexts, preferred: &[&str]) -> Result<RenderedEmail, RenderError> {
    let preferred: Vec<Locale> = preferred.iter().map(|text| locale(text)).collect();
    render(email, &preferred, &json!({"user": {"name": "O'Neill <x>"}}))
}

fn part(locale_text: Option<&str>, text: &str) -> Part {
    Part {
        locale: locale_text.map(locale),
        text: text.to_owned(),
    }
}

#[test]
fn each_part_is_chosen_on_its_own() {
    let mail = rendered(&email(), &["de_AT", "ar"]).unwrap();
    assert_eq!(mail.subject, part(Some("de"), "Gesperrt: O'Neill <x>"));
    assert_eq!(
        mail.html,
        part(Some("de_AT"), "<p lang='de-AT' dir='ltr'>1 Tag</p>")
    );
    assert_eq!(mail.text, part(Some("ar"), "rtl"));
    assert_eq!(mail.from_name, None);
}

#[test]
fn a_changed_text_is_used_at_once() {
    let mut changing = email();
    for word in ["first", "second", "first"] {
        changing.subject.default = format!("{word} subject");
        changing.subject.localized.clear();
        let rendered = rendered(&changing, &[]).unwrap();
        assert_eq!(rendered.subject.text, format!("{word} subject"));
    }
}

#[test]
fn the_default_texts_serve_everyone_else() {
    let mail = rendered(&email(), &["eo"]).unwrap();
    assert_eq!(mail.subject, part(None, "Locked: O'Neill <x>"));
    assert_eq!(
        mail.html,
        part(None, "<p lang='' dir='ltr'>O&#x27;Neill &lt;x&gt;</p>")
    );
    assert!(mail.text.text.starts_with("O'Neill <x>, 1 "));
    assert_eq!(
        rendered(&email(), &[]).unwrap().text,
        part(None, "O'Neill <x>, 1 day")
    );
}

#[test]
fn subject_and_from_name_are_one_line() {
    let mut email = email();
    email.subject = texts(" a\r\nBcc:  {{user.name}}\u{2028}\n\n b\u{a0}?\t", &[]);
    email.from_name.default = Some("{{user.name}}\n".to_owned());
    let mail = rendered(&email, &[]).unwrap();
    assert_eq!(mail.subject.text, "a Bcc: O'Neill <x> b\u{a0}?");
    assert_eq!(mail.from_name, Some(part(None, "O'Neill <x>")));
}

#[test]
fn a_from_name_may_exist_in_translation_only_and_counts_as_absent_when_empty() {
    let mut email = email();
    email.from_name.localized = [(locale("de"), "Dienst".to_owned())].into();
    assert_eq!(
        rendered(&email, &["de"]).unwrap().from_name,
        Some(part(Some("de"), "Dienst"))
    );
    assert_eq!(rendered(&email, &["fr"]).unwrap().from_name, None);
    email.from_name.default = Some("{{#if false}}a{{/if}} \n".to_owned());
    assert_eq!(rendered(&email, &["fr"]).unwrap().from_name, None);
}

#[test]
fn every_failing_part_is_listed_with_its_name_and_place() {
    let mut email = email();
    email.subject = texts("fine", &[("de", "{{usr}}")]);
    email.from_name.default = Some("{{user.".to_owned());
    email.text = texts("\n{{shout user}}", &[]);
    let error = rendered(&email, &["de"]).unwrap_err();
    let faults: Vec<_> = error
        .faults
        .iter()
        .map(|fault| (fault.part.name(), fault.fault.kind))
        .collect();
    assert_eq!(
        faults,
        [
            ("subject", TemplateErrorKind::Render),
            ("fromName", TemplateErrorKind::Parse),
            ("text", TemplateErrorKind::Parse)
        ]
    );
    let text = error.to_string();
    assert!(text.starts_with("the email cannot be rendered: subject in de: line 1, column 1: there is no variable `usr`; fromName: line 1"), "{text}");
    assert!(
        text.ends_with("; text: line 2, column 1: there is no helper `shout`"),
        "{text}"
    );
}

#[test]
fn a_variable_named_locale_cannot_stand_in_for_the_parts_own() {
    let mut email = email();
    email.subject = texts("{{locale.tag}}", &[("he", "{{locale.tag}} {{locale.dir}}")]);
    let forged = json!({"user": {"name": "a"}, "locale": {"tag": "forged"}});
    let mail = render(&email, &[locale("he_IL")], &forged).unwrap();
    assert_eq!(mail.subject.text, "he rtl");
    let mail = render(&email, &[], &forged).unwrap();
    assert_eq!(mail.subject.text, "");
}

#[test]
fn variables_that_are_no_object_have_no_names() {
    let error = render(&email(), &[], &json!([1])).unwrap_err();
    assert!(
        error
            .faults
            .iter()
            .all(|fault| fault.fault.reason == "there is no variable `user.name`")
    );
}

#[test]
fn a_lint_tries_every_text() {
    let texts = EmailTexts {
        subject: texts("{{name}}", &[("de", "{{title}}")]),
        from_name: Texts {
            default: None,
            localized: texts("", &[("fr", "{{#if}}")]).localized,
        },
        html: texts("<p>\n{{locale.tag}} {{title}}", &[]),
        text: Texts::default(),
    };
    let faults: Vec<String> = lint(&texts, &json!({"name": "Ada"}))
        .iter()
        .map(|fault| fault.to_string().chars().take(20).collect())
        .collect();
    assert_eq!(
        faults,
        [
            "subject in de: line ",
            "fromName in fr: line",
            "html: line 2, column"
        ]
    );
}

#[test]
fn what_is_right_is_shown_beside_what_is_wrong() {
    let texts = EmailTexts {
        subject: texts("{{name}}", &[]),
        html: texts("{{title}}", &[]),
        ..EmailTexts::default()
    };
    let parts = render_parts(&texts, &[], &json!({"name": "Ada"}), None);
    assert_eq!(parts.subject.unwrap().text, "Ada");
    assert!(parts.html.is_none() && parts.from_name.is_none());
    assert_eq!(parts.faults.len(), 1);
}

#[test]
fn a_mail_without_a_text_gets_that_of_its_html() {
    let mut email = email();
    email.text = texts(" {{#if false}}never{{/if}}\n", &[]);
    let mail = rendered(&email, &["de_AT"]).unwrap();
    assert_eq!(mail.text, part(Some("de_AT"), "1 Tag\n"));
}

#[test]
fn dates_follow_the_readers_country_within_the_language_of_the_part() {
    let mut email = email();
    let date = "{{date 1735689600000}}";
    email.subject = texts(date, &[("de", date), ("en", date)]);
    for (preferred, expected) in [
        (&["de_AT"][..], "1. Jänner 2025"),
        (&["de"], "1. Januar 2025"),
        (&["ja", "en_GB"], "1 January 2025"),
        (&["xx", "en"], "January 1, 2025"),
        (&["fr"], "1 janvier 2025"),
        (&[], "January 1, 2025"),
    ] {
        let subject = rendered(&email, preferred).unwrap().subject;
        assert_eq!(subject.text, expected, "{preferred:?}");
    }
}

#[test]
fn one_reader_after_the_other_finds_their_own_names() {
    let texts = EmailTexts {
        text: texts("{{user.name}} {{shared}}", &[("de", "{{locale.tag}}")]),
        ..EmailTexts::default()
    };
    let variables = json!({"user": null, "shared": 1});
    let mut renderer = Renderer::for_many(&texts, variables);
    for name in ["Ada", "Bob"] {
        renderer.set("user", json!({"name": name}));
        let mail = renderer.email(&[], None).unwrap();
        assert_eq!(mail.text.text, format!("{name} 1"));
        let german = renderer.email(&[locale("de_AT")], None).unwrap();
        assert_eq!(german.text.text, "de");
    }
    renderer.set("user", Json::Null);
    assert_eq!(renderer.email(&[], None).unwrap().text.text, " 1");
    let names = renderer.variables().as_object().unwrap();
    assert_eq!(names.len(), 3);
    let uri = renderer.unsubscribe_uri("https://a.example/{{shared}}");
    assert_eq!(uri.unwrap().as_str(), "https://a.example/1");
}

#[test]
fn many_mails_have_so_much_time_together() {
    let rows = json!({"rows": vec![1; 30_000]});
    let texts = EmailTexts {
        subject: texts("{{#each rows}}{{/each}}", &[]),
        ..EmailTexts::default()
    };
    let mut renderer = Renderer::for_many(&texts, rows);
    let mut readers = 0;
    while renderer.email(&[], None).is_ok() {
        readers += 1;
    }
    assert!(renderer.is_exhausted());
    assert!((10..100).contains(&readers), "{readers}");
}

#[test]
fn a_lint_takes_so_much_time_whatever_the_number_of_texts() {
    let loops = "{{#each rows}}{{#each @root.rows}}{{/each}}{{/each}}";
    let languages: Vec<String> = (0..8_000_u32)
        .map(|number| {
            let letter = |shift: u32| char::from(b'a' + u8::try_from(number / shift % 20).unwrap());
            format!("{}{}{}", letter(1), letter(20), letter(400))
        })
        .filter(|language| Locale::parse(language).is_ok())
        .collect();
    let pairs: Vec<(&str, &str)> = languages
        .iter()
        .map(|language| (language.as_str(), loops))
        .collect();
    let looping = EmailTexts {
        html: texts(loops, &pairs),
        ..EmailTexts::default()
    };
    let faults = lint(&looping, &json!({"rows": vec![1; 1_000]}));
    assert!((2..10).contains(&faults.len()), "{}", faults.len());
    let tags = "{{a}} and b\n".repeat(3_000);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, _)| (*name, &*tags)).collect();
    let texts = EmailTexts {
        html: texts("", &pairs),
        ..EmailTexts::default()
    };
    let faults = lint(&texts, &json!({"a": 1}));
    assert_eq!(faults.len(), 1);
    assert!(faults[0].fault.reason.contains("together"), "{}", faults[0]);
}

#[test]
fn nothing_rendered_holds_the_character_nul() {
    let nul = json!({"user": {"name": "a\u{0}b"}});
    let mut email = email();
    email.html = texts("{{user.name}} {{{user.name}}} {{json user.name}}", &[]);
    email.text = texts("", &[]);
    email.from_name.default = Some("{{user.name}}".to_owned());
    let mail = render(&email, &[], &nul).unwrap();
    assert_eq!(
        mail.html.text,
        "a\u{fffd}b a\u{fffd}b &quot;a\\u0000b&quot;"
    );
    for text in [
        &mail.subject,
        &mail.from_name.unwrap(),
        &mail.html,
        &mail.text,
    ] {
        assert!(!text.text.contains('\0'), "{text:?}");
    }
}

#[test]
fn a_panic_of_the_engine_is_a_fault_of_the_template() {
    let fault = guarded::<()>(|| panic!("made up")).unwrap_err();
    assert_eq!(fault.reason, "the template makes the engine fail");
}
