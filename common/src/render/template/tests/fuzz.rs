//! Templates that nobody would write.

use proptest::prelude::*;

use super::*;

/// Pieces of templates, in which most of the grammar turns up.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "{{", "}}", "{{{", "}}}", "{{{{", "}}}}", "#if ", "#each ", "#with ", "/if", "/each", "/with",
    "else", "else if ", "^", "~", "(", ")", "[", "]", "{", "}", "'", "\"", "\\", "user", ".", "..",
    "/", "@root", "@index", "this", " ", "\n", "=", "|", "as |x|", "upper ", "default ", "date ",
    "1", "-1.5E3", "null", "true", "!", "!--", "--", ">", "*", "&", "é", "data", ":", ",",
    "{{#if user}}", "{{/if}}", "{{else}}", "{{user.firstName}}", "{{else if user}}",
    "{{upper user.firstName}}", "{{#each user.groups}}", "{{/each}}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_text_makes_the_engine_panic(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14),
    ) {
        let text = pieces.concat();
        for escaping in [Escaping::None, Escaping::Html] {
            let _ = try_render(escaping, &text);
        }
    }

    #[test]
    fn text_without_tags_stays_as_it_is(text in "[^{\\\\\\x00]{0,80}") {
        prop_assert_eq!(rendered(&text), text);
    }
}
