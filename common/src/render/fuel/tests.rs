//! What a rendering may cost, whatever it is made of.

use serde_json::{Value as Json, json};

use super::size;
use crate::render::{EmailTexts, Renderer, TemplateError, Texts};

fn rendered(text: &str, variables: &Json) -> Result<String, TemplateError> {
    rendered_within(u64::MAX, text, variables)
}

fn rendered_within(steps: u64, text: &str, variables: &Json) -> Result<String, TemplateError> {
    let texts = EmailTexts {
        text: Texts {
            default: text.to_owned(),
            ..Texts::default()
        },
        ..EmailTexts::default()
    };
    let mut renderer = Renderer::with_steps(&texts, variables.clone(), steps);
    let mut parts = renderer.parts(&[], None);
    match parts.faults.pop() {
        Some(fault) => Err(fault.fault),
        None => Ok(parts.text.unwrap().text),
    }
}

fn assert_takes_too_long(text: &str, variables: &Json) {
    assert_takes_more(u64::MAX, text, variables);
}

fn assert_takes_more(steps: u64, text: &str, variables: &Json) {
    let rendered = rendered_within(steps, text, variables);
    let fault = rendered.expect_err(text.get(..80).unwrap_or(text));
    assert!(
        fault.reason.contains("takes too long"),
        "{text:.80}: {fault}"
    );
}

fn nested(call: &str, levels: usize, inside: &str) -> String {
    format!(
        "{}{inside}{}",
        format!("({call} ").repeat(levels),
        ")".repeat(levels)
    )
}

fn rows(count: usize) -> Json {
    json!({"rows": vec![json!({"a": 1}); count], "null": null})
}

#[test]
fn loops_that_write_nothing_end() {
    for text in [
        "{{#each rows}}{{#each ../rows}}{{#each ../../rows}}{{/each}}{{/each}}{{/each}}".to_owned(),
        "{{#each rows}}{{#each @root.rows}}{{#if false}}a{{/if}}{{/each}}{{/each}}".to_owned(),
        "{{#each rows}}{{#each @root.rows}}{{else}}{{/each}}{{/each}}".to_owned(),
        format!(
            "{}{}",
            "{{#each @root.rows}}".repeat(32),
            "{{/each}}".repeat(32)
        ),
    ] {
        assert_takes_too_long(&text, &rows(2_000));
    }
}

#[test]
fn a_helper_gives_no_more_than_a_mail_may_hold() {
    // Each level doubles the backslashes: 24 of them are 48 MB, 31 are 6 GB.
    for levels in [24, 31] {
        let call = nested("json", levels, "\"a\"");
        for text in [
            format!("{{{{#if (eq 1 {call})}}}}{{{{/if}}}}"),
            format!("{{{{#with {call}}}}}{{{{/with}}}}"),
            format!("{{{{#each {call} as |a b|}}}}{{{{/each}}}}"),
            format!("{{{{default {call}}}}}"),
            format!("{{{{plural 1 other={call}}}}}"),
        ] {
            let fault = rendered(&text, &json!({})).unwrap_err();
            assert_eq!(
                fault.reason,
                "the helper `json` gives more than 1048576 bytes"
            );
        }
    }
}

#[test]
fn what_helpers_give_is_paid_for_though_nobody_writes_it() {
    let grown = nested("json", 17, "\"a\"");
    let long = json!({"data": {"text": "é".repeat(100_000)}, "rows": vec![1; 1_000]});
    for inside in [
        format!("{{{{#if {grown}}}}}{{{{/if}}}}"),
        format!("{{{{#if (default {grown})}}}}{{{{/if}}}}"),
        format!("{{{{#with {grown}}}}}{{{{/with}}}}"),
        "{{#if (url @root.data.text)}}{{/if}}".to_owned(),
        "{{#if (upper @root.data.text)}}{{/if}}".to_owned(),
        "{{#if (default @root.data.text)}}{{/if}}".to_owned(),
        "{{#if (lookup @root.data \"text\")}}{{/if}}".to_owned(),
        "{{#if (plural 1 other=@root.data.text)}}{{/if}}".to_owned(),
    ] {
        let text = format!("{{{{#each rows}}}}{inside}{{{{/each}}}}");
        assert_takes_more(10_000, &text, &long);
    }
}

#[test]
fn values_that_blocks_copy_are_paid_for() {
    let much = json!({"data": {"list": [vec![json!({"": 0}); 5_000]]}});
    let names = |count| "{{#if this}}{{/if}}".repeat(count);
    for (open, close) in [
        ("{{#with (lookup data \"list\")}}", "{{/with}}"),
        ("{{#each (lookup data \"list\")}}", "{{/each}}"),
        (
            "{{#each (default data.list) as |a i|}}{{#if a}}{{/if}}",
            "{{/each}}",
        ),
        (
            "{{#with (default data) as |a|}}{{#with a}}",
            "{{/with}}{{/with}}",
        ),
    ] {
        assert_takes_more(50_000, &format!("{open}{}{close}", names(200)), &much);
    }
    let key = "k".repeat(500_000);
    let long_name = json!({"data": {key: {"a": [1]}}});
    let inside = names(500);
    assert_takes_too_long(
        &format!("{{{{#each data}}}}{inside}{{{{/each}}}}"),
        &long_name,
    );
    let literal = format!("{{{{#with \"{}\"}}}}{{{{/with}}}}", "x".repeat(50_000));
    assert_takes_too_long(
        &format!("{{{{#each rows}}}}{literal}{{{{/each}}}}"),
        &rows(5_000),
    );
}

#[test]
fn long_names_are_paid_for_and_longer_ones_refused() {
    let name = format!("@root.null{}", ".a".repeat(60));
    for tag in [
        format!("{{{{{name}}}}}"),
        format!("{{{{upper {name}}}}}"),
        format!("{{{{#if {name}}}}}{{{{/if}}}}"),
    ] {
        let text = format!("{{{{#each rows}}}}{tag}{{{{/each}}}}");
        assert_takes_more(20_000, &text, &rows(2_000));
    }
    for name in [
        format!("rows{}", ".a".repeat(64)),
        "r".repeat(1_001),
        format!("@{}", "r".repeat(1_001)),
    ] {
        let fault = rendered(&format!("{{{{#if {name}}}}}{{{{/if}}}}"), &rows(1)).unwrap_err();
        assert_eq!(fault.reason, "the name of a variable is too long");
    }
}

#[test]
fn formats_cost_more_than_a_step() {
    for call in ["date 0", "datetime 0", "duration 1", "number 1", "plural 1"] {
        let text = format!("{{{{#each rows}}}}{{{{#if ({call})}}}}{{{{/if}}}}{{{{/each}}}}");
        assert!(rendered(&text, &rows(1_000)).is_ok(), "{call}");
        assert_takes_too_long(&text, &rows(5_000));
    }
}

#[test]
fn comparisons_cost_what_there_is_to_compare() {
    let text = "{{#each rows}}{{#if (eq @root.data @root.data)}}{{/if}}{{/each}}";
    let variables =
        |rows: usize| json!({"rows": vec![1; 5_000], "data": vec!["x".repeat(1_000); rows]});
    assert_takes_too_long(text, &variables(1_000));
    assert_eq!(rendered(text, &variables(1)), Ok(String::new()));
}

#[test]
fn long_templates_over_ordinary_data_are_fine() {
    let variables = json!({"rows": vec![json!({"name": "Ada", "at": 0, "n": 1.5}); 500]});
    let text = "{{#each rows}}<tr><td>{{name}}</td><td>{{upper name}}</td><td>{{date at}}</td>\
         <td>{{number n}}</td></tr>\n{{/each}}";
    assert!(rendered(text, &variables).unwrap().len() > 10_000);
    assert!(rendered(&"{{rows.0.name}} ".repeat(4_000), &variables).is_ok());
}

#[test]
fn the_step_is_no_helper_of_authors() {
    let fault = rendered("{{step 0 0 0}}", &json!({})).unwrap_err();
    assert_eq!(fault.reason, "there is no helper `step`");
    assert_takes_too_long("{{(default \"step\")}}", &json!({}));
    let fault = rendered("\n {{#if (x)}}{{/if}}", &json!({})).unwrap_err();
    assert_eq!(fault.line, Some(2));
}

#[test]
fn sizes_grow_with_what_there_is() {
    for (less, more) in [
        (json!(null), json!("a")),
        (json!("a"), json!("aa")),
        (json!([]), json!([1])),
        (json!({}), json!({"": 0})),
        (json!({"a": 0}), json!({"aa": 0})),
        (json!({"a": 0}), json!({"a": [[1]]})),
    ] {
        assert!(size(&less) < size(&more), "{less} {more}");
    }
}
