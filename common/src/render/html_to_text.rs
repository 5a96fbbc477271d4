//! Plain text from HTML, for mails whose template has nothing to say in its text part:
//! what a reader without HTML needs to know, not a picture of the page.

/// Elements whose content nobody reads.
const HIDDEN: [&str; 5] = ["head", "script", "style", "template", "title"];
/// Elements that begin and end a line.
const BLOCKS: [&str; 20] = [
    "address",
    "article",
    "blockquote",
    "body",
    "div",
    "dl",
    "dd",
    "dt",
    "footer",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "ol",
    "section",
    "table",
    "tbody",
    "tr",
    "ul",
];
/// Elements that have an empty line around them.
const PARAGRAPHS: [&str; 8] = ["h1", "h2", "h3", "h4", "h5", "h6", "p", "pre"];

/// Characters between `&` and `;` at most: `#x10FFFF`, with a few zeros. Whoever looks further
/// reads the rest of the page again for each `&`.
const LONGEST_ENTITY: usize = 12;

/// The text of a page. Links are followed by where they lead to.
pub(super) fn from_html(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        page.text(text);
        rest = if let Some(comment) = tag.strip_prefix("!--") {
            comment.split_once("-->").map_or("", |(_, rest)| rest)
        } else if tag.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
        {
            let (tag, rest) = end_of_tag(tag);
            page.tag(tag);
            rest
        } else {
            page.text("<");
            tag
        };
    }
    page.text(rest);
    page.finish()
}

/// Splits at the `>` that is not within quotes.
fn end_of_tag(tag: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, char) in tag.char_indices() {
        match (quote, char) {
            (None, '>') => {
                let (tag, rest) = tag.split_at_checked(at).unwrap_or((tag, ""));
                return (tag, rest.strip_prefix('>').unwrap_or(rest));
            }
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), char) if open == char => quote = None,
            _ => {}
        }
    }
    (tag, "")
}

#[derive(Default)]
struct Page {
    out: String,
    /// Line breaks that are owed before the next word.
    breaks: usize,
    /// A space is owed before the next word.
    space: bool,
    /// The element whose content is left out.
    hidden: Option<String>,
    /// Where the open link leads to, and where its text begins.
    link: Option<(String, usize)>,
}

impl Page {
    fn text(&mut self, raw: &str) {
        if self.hidden.is_some() {
            return;
        }
        let text = unescaped(raw);
        let mut words = text.split_ascii_whitespace().peekable();
        self.space |= text.starts_with(|c: char| c.is_ascii_whitespace());
        while let Some(word) = words.next() {
            self.word(word);
            self.space = words.peek().is_some();
        }
        self.space |= text.ends_with(|c: char| c.is_ascii_whitespace());
    }

    fn word(&mut self, word: &str) {
        if self.out.is_empty() {
            self.breaks = 0;
        }
        if self.breaks > 0 {
            self.out.extend(std::iter::repeat_n('\n', self.breaks));
        } else if self.space && !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
        (self.breaks, self.space) = (0, false);
        self.out.push_str(word);
    }

    fn tag(&mut self, tag: &str) {
        let (closes, tag) = match tag.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, tag),
        };
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric());
        let (name, attributes) = tag
            .split_at_checked(end.unwrap_or(tag.len()))
            .unwrap_or_default();
        let name = name.to_ascii_lowercase();
        match &self.hidden {
            Some(hidden) if closes && *hidden == name => self.hidden = None,
            Some(_) => {}
            None if !closes && HIDDEN.contains(&name.as_str()) => self.hidden = Some(name),
            None => self.visible(&name, attributes, closes),
        }
    }

    fn visible(&mut self, name: &str, attributes: &str, closes: bool) {
        match name {
            "br" => self.breaks += 1,
            "td" | "th" => self.space = true,
            "img" => self.text(&attribute(attributes, "alt").unwrap_or_default()),
            "a" if closes => self.end_of_link(),
            "a" => {
                let target = attribute(attributes, "href");
                self.link = target.map(|target| (target, self.out.len()));
            }
            _ if PARAGRAPHS.contains(&name) => self.breaks = 2,
            _ if BLOCKS.contains(&name) => self.breaks = self.breaks.max(1),
            _ => {}
        }
        if name == "li" && !closes {
            self.word("-");
            self.space = true;
        }
    }

    fn end_of_link(&mut self) {
        let Some((target, start)) = self.link.take() else {
            return;
        };
        let target = unescaped(target.trim());
        let told = self.out.get(start..).unwrap_or_default();
        let leads_out = ["http:", "https:", "mailto:", "tel:"];
        if !leads_out.iter().any(|scheme| target.starts_with(scheme)) || told.contains(&target) {
            return;
        }
        self.space = true;
        self.word(&format!("<{target}>"));
    }

    fn finish(mut self) -> String {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }
}

/// The value of an attribute, as it is written.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some((name, value)) = rest.split_once('=') {
        let name = name
            .split_ascii_whitespace()
            .next_back()
            .unwrap_or_default();
        let value = value.trim_start();
        let quoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.split_once(quote));
        let (value, after) = quoted.unwrap_or_else(|| {
            value
                .split_once(|c: char| c.is_ascii_whitespace())
                .unwrap_or((value, ""))
        });
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.to_owned());
        }
        rest = after;
    }
    None
}

/// Resolves the entities that people and templates write; others stay as they are.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match entity_at_start(after) {
            Some((char, after)) => {
                out.push(char);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The entity that a text after `&` begins with, and what follows it.
fn entity_at_start(text: &str) -> Option<(char, &str)> {
    let end = text
        .bytes()
        .take(LONGEST_ENTITY + 1)
        .position(|byte| byte == b';')?;
    let (name, rest) = text.split_at_checked(end)?;
    Some((entity(name)?, rest.strip_prefix(';')?))
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|char| !char.is_control());
    }
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        "copy" => Some('©'),
        "euro" => Some('€'),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "hellip" => Some('…'),
        "laquo" => Some('«'),
        "raquo" => Some('»'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_become_text() {
        for (html, text) in [
            ("", ""),
            ("Hello", "Hello\n"),
            (
                "<p>Hi <b>Ada</b>,</p>\n<p>you are\n  locked.</p>",
                "Hi Ada,\n\nyou are locked.\n",
            ),
            ("a<br>b<br/>c", "a\nb\nc\n"),
            ("<ul><li>one</li><li>two</li></ul>", "- one\n- two\n"),
            (
                "<p>See <a class=x href=\"https://a.example/?a=1&amp;b=2\">the rules</a>.</p>",
                "See the rules <https://a.example/?a=1&b=2>.\n",
            ),
            (
                "<a href='https://a.example'>https://a.example</a>",
                "https://a.example\n",
            ),
            ("<a href='#top'>up</a> <a name=x>y</a>", "up y\n"),
            (
                "<html><head><title>T</title><style>p > b { }</style></head><body>x</body></html>",
                "x\n",
            ),
            ("<!-- <p>no</p> -->yes<!-- unclosed", "yes\n"),
            (
                "1 &lt; 2 &amp;&amp; O&#x27;Neill &unknown; & &nbsp;",
                "1 < 2 && O'Neill &unknown; & \u{a0}\n",
            ),
            ("a < b <3", "a < b <3\n"),
            (
                "<img alt=\"Logo\" src=x> <td>1</td><td>2</td>",
                "Logo 1 2\n",
            ),
            ("<p title=\"a > b\">c", "c\n"),
            ("<p", ""),
        ] {
            assert_eq!(from_html(html), text, "{html}");
        }
    }

    #[test]
    fn an_entity_is_looked_for_no_further_than_it_can_reach() {
        let zeros = |count| format!("&#{}39;", "0".repeat(count));
        assert_eq!(from_html(&zeros(LONGEST_ENTITY - 3)), "'\n");
        let too_long = zeros(LONGEST_ENTITY - 2);
        assert_eq!(from_html(&too_long), format!("{too_long}\n"));
        assert_eq!(from_html("&é;&ééééééé;"), "&é;&ééééééé;\n");
    }

    #[test]
    fn no_entity_is_a_character_that_nothing_can_store() {
        assert_eq!(from_html("a&#0;&#x0;&#xD800;b"), "a&#0;&#x0;&#xD800;b\n");
    }

    /// Each would take minutes if any of it were read again for each of its pieces.
    #[test]
    fn large_pages_of_odd_pieces_are_read_once() {
        for piece in [
            "&",
            "&#",
            "&;",
            "<",
            "</",
            "<!--",
            "<!",
            "<a href=",
            "<a href='",
            "<a x=\"' ",
            "</a>",
            "<a href=https:a>b",
            "<ul><li>",
            "<title>",
            "<br>",
            " ",
            "\n",
            "=",
            "'",
            "<p a = ",
        ] {
            let page = piece.repeat(256 * 1024 / piece.len());
            assert!(from_html(&page).len() <= 3 * page.len() + 3, "{piece}");
        }
    }

    proptest! {
        #[test]
        fn no_page_is_a_crash(html in "[<>/!a-z\"'=&;#x \\-\n]{0,60}") {
            let text = from_html(&html);
            prop_assert!(text.len() <= 3 * html.len() + 3);
        }
    }
}
