//! What a template may say, and what it gets for it.

mod fuzz;

use serde_json::{Value as Json, json};

use super::*;
use crate::locale::Locale;
use crate::render::TemplateErrorKind;

fn variables() -> Json {
    json!({
        "user": {
            "firstName": "Ada", "email": "ada@example.com", "fullName": null,
            "data": {"plan": "gold"}, "groups": ["a<b", "c"], "active": true,
        },
        "event": {
            "comment": null, "expiry": 1_795_323_840_000_i64, "option": "",
            "createInstant": 1_795_151_039_000_i64,
        },
        "userAction": {"localizedNames": {"de": "Sperre"}, "options": [{"name": "x", "hint": null}]},
        "actioner": null,
        "never": i64::MAX,
    })
}

fn reader() -> Audience {
    let german = Locale::parse("de").unwrap();
    Audience::new(&[german], None, Some("Europe/Berlin"))
}

fn try_render(escaping: Escaping, text: &str) -> Result<String, TemplateError> {
    let (variables, fuel) = (Context::from(variables()), Fuel::new(u64::MAX));
    fuel.begin_text(fuel::size(variables.data()));
    CompiledTemplate::parse(text)?.render(escaping, &variables, &reader(), &fuel)
}

fn rendered(text: &str) -> String {
    try_render(Escaping::None, text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn fault(text: &str) -> TemplateError {
    try_render(Escaping::None, text).expect_err(text)
}

#[test]
fn values_are_written_as_they_are() {
    for (text, expected) in [
        ("Hello {{user.firstName}}!", "Hello Ada!"),
        ("{{event.expiry}} {{user.active}}", "1795323840000 true"),
        (
            "{{#each user.groups}}{{@index}}={{this}};{{/each}}",
            "0=a<b;1=c;",
        ),
        (
            "{{#each user.groups as |group|}}{{group}}/{{../user.firstName}};{{/each}}",
            "a<b/Ada;c/Ada;",
        ),
        (
            "{{#each userAction.localizedNames}}{{@key}}: {{this}}{{/each}}",
            "de: Sperre",
        ),
        (
            "{{#with user}}{{firstName}} {{@root.event.expiry}}{{/with}}",
            "Ada 1795323840000",
        ),
        (
            "{{#with user}}{{#if ../event}}{{../event.expiry}}{{/if}}{{/with}}",
            "1795323840000",
        ),
        (
            "{{lookup user.groups 1}}{{user.groups.[1]}}{{user.[firstName]}}",
            "ccAda",
        ),
        (
            "{{#if (eq user.firstName \"Ada\")}}yes{{else}}no{{/if}}",
            "yes",
        ),
        (
            "{{#if event.comment}}a{{else if user.active}}b{{else}}c{{/if}}",
            "b",
        ),
        ("{{!-- not {{shown}} --}}\\{{literal}}", "{{literal}}"),
    ] {
        assert_eq!(rendered(text), expected, "{text}");
    }
}

#[test]
fn only_html_is_escaped() {
    let text = "{{#each user.groups}}{{this}} {{{this}}} {{upper this}} {{json this}} {{/each}}";
    assert_eq!(rendered(text), r#"a<b a<b A<B "a<b" c c C "c" "#);
    assert_eq!(
        try_render(Escaping::Html, text).unwrap(),
        "a&lt;b a<b A&lt;B &quot;a&lt;b&quot; c c C &quot;c&quot; "
    );
}

#[test]
fn what_is_null_is_empty_and_so_are_its_members() {
    for (text, expected) in [
        ("[{{event.comment}}]", "[]"),
        (
            "[{{actioner}}{{actioner.email}}{{actioner.data.a.b}}]",
            "[]",
        ),
        (
            "[{{upper actioner.email}}{{trim event.comment}}{{duration actioner.since}}]",
            "[]",
        ),
        (
            "{{#if actioner}}a{{else}}b{{/if}}{{#if actioner.email}}a{{else}}b{{/if}}",
            "bb",
        ),
        (
            "[{{#with actioner}}{{email}}{{/with}}{{#each actioner.groups}}{{this}}{{/each}}]",
            "[]",
        ),
        (
            "[{{#each userAction.options}}{{hint.text}}{{upper this.hint.text}}{{/each}}]",
            "[]",
        ),
        (
            "{{#each userAction.options}}{{../actioner.email}}{{@root.actioner.email}}{{name}}{{/each}}",
            "x",
        ),
        ("{{default actioner.email \"nobody\"}}", "nobody"),
    ] {
        assert_eq!(rendered(text), expected, "{text}");
    }
}

#[test]
fn names_that_do_not_exist_are_errors_wherever_they_stand() {
    for (text, name) in [
        ("{{usr}}", "usr"),
        ("{{user.firstname}}", "user.firstname"),
        ("{{{user.firstname}}}", "user.firstname"),
        ("{{upper user.firstname}}", "user.firstname"),
        ("{{upper (lower usr)}}", "usr"),
        ("{{default usr.name \"x\"}}", "usr.name"),
        ("{{#if usr}}a{{/if}}", "usr"),
        ("{{#unless user.banned}}a{{/unless}}", "user.banned"),
        ("{{#if event.comment}}{{usr}}{{/if}}", "usr"),
        ("{{#if user}}a{{else}}{{usr}}{{/if}}", "usr"),
        ("{{#each usr}}a{{/each}}", "usr"),
        ("{{#each user.groups}}{{@root.usr}}{{/each}}", "@root.usr"),
        ("{{#each user.groups}}{{../usr}}{{/each}}", "../usr"),
        ("{{#each userAction.options}}{{nme}}{{/each}}", "nme"),
        (
            "{{#each userAction.options as |option|}}{{option.nme}}{{/each}}",
            "option.nme",
        ),
        ("{{#each userAction.options}}{{upper nme}}{{/each}}", "nme"),
        (
            "{{#each user.groups}}{{#if ../usr}}a{{/if}}{{/each}}",
            "../usr",
        ),
        ("{{#with user}}{{name}}{{/with}}", "name"),
        (
            "{{#with user}}{{#if ../firstName}}a{{/if}}{{/with}}",
            "../firstName",
        ),
        (
            "{{#with user as |person|}}{{person.name}}{{/with}}",
            "person.name",
        ),
        ("{{#if (eq usr 1)}}a{{/if}}", "usr"),
        ("{{plural 1 other=usr}}", "usr"),
        ("{{lookup usr 1}}", "usr"),
        ("{{user.firstName.length}}", "user.firstName.length"),
        ("{{user.data.nick}}", "user.data.nick"),
        ("{{log}}", "log"),
        ("{{@index}}", "@index"),
    ] {
        let fault = fault(text);
        assert_eq!(fault.kind, TemplateErrorKind::Render, "{text}");
        assert_eq!(
            fault.reason,
            format!("there is no variable `{name}`"),
            "{text}"
        );
        assert_eq!(fault.line, Some(1), "{text}");
    }
}

#[test]
fn free_form_members_may_be_asked_for_without_being_there() {
    for (text, expected) in [
        ("{{user.data.plan}}", "gold"),
        ("{{default user.data.nick user.firstName}}", "Ada"),
        ("{{#if user.data.nick}}a{{else}}b{{/if}}", "b"),
        ("{{#if user.data.nick}}{{user.data.nick}}{{/if}}", ""),
        (
            "{{#with user.data}}{{default nick \"none\"}}{{/with}}",
            "none",
        ),
        ("{{#if (eq user.data.a.b \"c\")}}a{{/if}}", ""),
    ] {
        assert_eq!(rendered(text), expected, "{text}");
    }
}

#[test]
fn helpers_do_what_their_name_says() {
    for (text, expected) in [
        (
            "{{upper \"straße\"}} {{lower \"ÄB\"}} {{capitalize \"éa b\"}} [{{trim \" a \"}}]",
            "STRASSE äb Éa b [a]",
        ),
        ("{{default event.option event.comment \"c\" \"d\"}}", "c"),
        ("[{{default event.option event.comment}}]", "[]"),
        ("{{default user.active \"x\"}} {{default 0 1}}", "true 0"),
        (
            "{{json user.groups}} {{json event.comment}}",
            r#"["a<b","c"] null"#,
        ),
        ("{{url \"a b&c=ä/?-._~\"}}", "a%20b%26c%3D%C3%A4%2F%3F-._~"),
        ("{{upper (default event.option (trim \" x \"))}}", "X"),
        (
            "{{date event.expiry}} {{datetime event.expiry}}",
            "22. November 2026 22. November 2026 um 06:04",
        ),
        (
            "{{date event.expiry style=\"short\"}} {{datetime event.expiry style=\"medium\"}}",
            "22.11.26 22.11.2026, 06:04",
        ),
        (
            "{{number 1234567.5}} {{number \"0.50\"}} [{{number event.comment}}]",
            "1.234.567,5 0,50 []",
        ),
        (
            "{{plural 1 one=\"day\" other=\"days\"}} {{plural 2 one=\"day\" other=\"days\"}} {{plural 1}}",
            "day days one",
        ),
        (
            "{{plural 2 other=user.firstName}} [{{plural event.comment}}]",
            "Ada []",
        ),
        ("{{#if (eq (plural 1) \"one\")}}once{{/if}}", "once"),
        (
            "{{duration 15600}}, {{duration event.createInstant event.expiry}}",
            "15 Sekunden, 2 Tage",
        ),
        (
            "[{{date never}}{{duration never}}{{duration event.expiry never}}{{duration event.comment}}]",
            "[]",
        ),
        ("{{#if 0 includeZero=true}}zero{{/if}}", "zero"),
    ] {
        assert_eq!(rendered(text), expected, "{text}");
    }
}

#[test]
fn helpers_refuse_what_they_cannot_use() {
    for (text, part) in [
        ("{{upper user}}", "`upper` takes a text"),
        ("{{upper \"a\" \"b\"}}", "`upper` takes one value, not 2"),
        (
            "{{datetime \"soon\"}}",
            "`datetime` takes milliseconds as a whole number, not \"soon\"",
        ),
        (
            "{{date user}}",
            "`date` takes milliseconds as a whole number, not an object",
        ),
        (
            "{{number \"0123456789012345678901234567890123456789abc\"}}",
            "not \"012345678901234567890123456789012345678…",
        ),
        ("{{duration 1.5}}", "`duration` takes milliseconds"),
        ("{{duration 1 2 3}}", "not 3 values"),
        (
            "{{number \"many\"}}",
            "`number` takes a number, not \"many\"",
        ),
        (
            "{{plural user.active}}",
            "`plural` takes a number, not true",
        ),
        (
            "{{date event.expiry style=\"wide\"}}",
            "takes the style short, medium or long, not \"wide\"",
        ),
    ] {
        let fault = fault(text);
        assert_eq!(fault.kind, TemplateErrorKind::Render, "{text}");
        assert!(fault.reason.contains(part), "{text}: {fault}");
    }
}

#[test]
fn what_is_wrong_with_the_text_alone_shows_on_saving() {
    for (text, line, part) in [
        ("{{#if a}}", 1, "syntax"),
        ("a\n{{user.}}", 2, "syntax"),
        ("{{#if a}}{{/each}}", 1, "closing"),
        ("\n{{shout a}}", 2, "no helper `shout`"),
        ("{{upper (shout a)}}", 1, "no helper `shout`"),
        ("{{#shout}}{{/shout}}", 1, "no helper `shout`"),
        ("{{#if a}}\n\n{{shout a}}{{/if}}", 3, "no helper `shout`"),
        ("{{log \"a\"}}", 1, "no helper `log`"),
        ("{{#upper a}}{{/upper}}", 1, "`upper` is no block"),
        ("{{if a}}", 1, "`if` is a block"),
        ("{{upper}}", 1, "`upper` needs a value"),
        ("{{#if}}a{{/if}}", 1, "`if` needs a value"),
        ("{{date a form=\"x\"}}", 1, "no option `form`"),
        ("{{plural a one=\"x\"}}", 1, "needs the option `other`"),
        ("{{plural a some=\"x\"}}", 1, "no option `some`"),
        ("{{> header}}", 1, "partials"),
    ] {
        let fault = check_syntax(text).expect_err(text);
        assert_eq!(fault.kind, TemplateErrorKind::Parse, "{text}");
        assert_eq!(fault.line, Some(line), "{text}: {fault}");
        assert!(fault.reason.contains(part), "{text}: {fault}");
    }
    assert_eq!(check_syntax("{{anything.that.may.exist}}"), Ok(()));
}

#[test]
fn a_fault_names_its_place() {
    let fault = fault("Hello\n  {{usr}}");
    assert_eq!(
        fault.to_string(),
        "line 2, column 3: there is no variable `usr`"
    );
}

#[test]
fn output_is_bounded() {
    let chunk = "x".repeat(1024);
    let fuel = Fuel::new(u64::MAX);
    fuel.begin_text(0);
    let template = CompiledTemplate::parse("{{#each rows}}{{this}}{{/each}}").unwrap();
    let variables = Context::from(json!({"rows": vec![chunk; 2_000]}));
    let fault = template
        .render(Escaping::None, &variables, &reader(), &fuel)
        .unwrap_err();
    assert_eq!(fault.reason, "the text grows beyond 1048576 bytes");
}

#[test]
fn deep_templates_are_refused_and_not_a_crash() {
    for text in [
        "{{#if a}}".repeat(7_000),
        format!("{{{{f {}", "(f ".repeat(20_000)),
        format!("{{{{f {}", "[".repeat(60_000)),
        format!("{{{{f {}", "{\"a\":".repeat(12_000)),
        format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(4_000)),
    ] {
        assert!(check_syntax(&text).is_err(), "{text:.40}");
    }
    let deepest = "{{#if user}}".repeat(32)
        + "{{upper "
        + &"(upper ".repeat(31)
        + "user.firstName"
        + &")".repeat(31)
        + "}}"
        + &"{{/if}}".repeat(32);
    assert_eq!(rendered(&deepest), "ADA");
}

#[test]
fn texts_that_take_long_to_parse_are_refused() {
    let lines = |line: &str| line.repeat(65_535 / line.len());
    for text in [lines("{{!}}\n"), lines("{{a}}"), lines("\\{{")] {
        let fault = check_syntax(&text).unwrap_err();
        assert_eq!(fault.reason, "too many tags for a text of this length");
    }
    // What begins a long comment would be searched for its end, to the end of the text.
    for open in ["{{!-- }}", "{{! -- }}"] {
        let fault = check_syntax(&open.repeat(1_000)).unwrap_err();
        assert!(fault.reason.contains("has no end"), "{fault}");
    }
}

#[test]
fn long_pages_with_many_tags_are_fine() {
    let row = format!("<tr><td>{}</td><td>{{{{a}}}}</td></tr>\n", "x".repeat(170));
    assert_eq!(check_syntax(&row.repeat(500)), Ok(()));
    assert_eq!(check_syntax(&"{{a}} and b\n".repeat(2_000)), Ok(()));
    assert_eq!(
        check_syntax(&"{{!-- a }} b --}}{{! c }}".repeat(1_000)),
        Ok(())
    );
}
