//! Texts as HTML.

/// With nothing in it that means something to a browser.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            char => escaped.push(char),
        }
    }
    escaped
}

/// One paragraph of the little Markdown that descriptions use: `code` and **strong**.
pub(super) fn inline(text: &str) -> String {
    between(&between(&escaped(text), "**", "strong"), "`", "code")
}

/// Paragraphs, which an empty line parts.
pub(super) fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n").filter(|text| !text.trim().is_empty());
    paragraphs
        .map(|text| format!("<p>{}</p>\n", inline(text)))
        .collect()
}

/// What stands between two marks becomes an element.
fn between(text: &str, mark: &str, element: &str) -> String {
    let parts = text.split(mark).enumerate();
    let part = |(place, part): (usize, &str)| match place % 2 {
        0 => part.to_owned(),
        _ => format!("<{element}>{part}</{element}>"),
    };
    parts.map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_cannot_bring_elements_of_its_own() {
        assert_eq!(
            inline("**Not** `a < b` & <script>"),
            "<strong>Not</strong> <code>a &lt; b</code> &amp; &lt;script&gt;"
        );
    }
}
