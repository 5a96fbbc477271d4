//! A look at a template before the parser sees it.
//!
//! The parser and the renderer recurse for every level of nesting, so a short
//! text with thousands of levels would overflow the stack and end the process.
//! This scan bounds the depth, and refuses the constructs that are not offered.
//! It follows the grammar only as far as it has to: where it is unsure it refuses,
//! and what it lets through may still be wrong, which the parser then says.

use super::template_error::TemplateError;

/// How deep blocks, and calls within a tag, may be nested. Far beyond what a
/// readable email needs, far below what a thread's stack holds.
const DEEPEST: usize = 32;

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Checks that a template is safe to parse.
pub(super) fn check(text: &str) -> Result<(), TemplateError> {
    let mut depth = Depth::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some(next) =
            after_tag(before, after, &mut depth).map_err(|reason| fault(text, after, reason))?
        else {
            // The last tag has no end: the parser says so.
            return Ok(());
        };
        rest = next;
    }
    Ok(())
}

/// Says why, and at which line: that of the tag whose inside `after` begins with.
fn fault(text: &str, after: &str, reason: &str) -> TemplateError {
    let before = text.strip_suffix(after).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    TemplateError {
        line: Some(line),
        ..TemplateError::parse(reason)
    }
}

/// The blocks that are open, each with its number of `else if`s: those become
/// nested blocks too.
#[derive(Default)]
struct Depth(Vec<usize>);

impl Depth {
    fn open(&mut self) -> Result<(), &'static str> {
        self.0.push(1);
        self.checked()
    }

    fn chain(&mut self) -> Result<(), &'static str> {
        if let Some(levels) = self.0.last_mut() {
            *levels += 1;
        }
        self.checked()
    }

    fn close(&mut self) {
        self.0.pop();
    }

    fn checked(&self) -> Result<(), &'static str> {
        if self.0.iter().sum::<usize>() > DEEPEST {
            return Err("blocks are nested too deeply, or have too many `else if`");
        }
        Ok(())
    }
}

/// Takes in one tag that begins after `before`, and gives what follows it.
fn after_tag<'a>(
    before: &str,
    after: &'a str,
    depth: &mut Depth,
) -> Result<Option<&'a str>, &'static str> {
    // One backslash makes the tag plain text, two or more stand for themselves.
    if before.ends_with('\\') && !before.ends_with("\\\\") {
        return Ok(Some(after.strip_prefix("{{").unwrap_or(after)));
    }
    if after.starts_with("{{") {
        return Err("raw blocks are not available, write `\\{{` for a literal `{{`");
    }
    if let Some(comment) = after.strip_prefix('!') {
        return after_comment(comment);
    }
    let body = after
        .trim_start_matches(SPACE)
        .trim_start_matches('~')
        .trim_start_matches(SPACE);
    if let Some(block) = body.strip_prefix('#') {
        refuse_unavailable(block.trim_start_matches(SPACE))?;
        depth.open()?;
    } else if body.starts_with('/') {
        depth.close();
    } else if let Some(condition) = body.strip_prefix("else").or_else(|| body.strip_prefix('^')) {
        let condition = condition.trim_start_matches(SPACE).trim_start_matches('~');
        if !condition.starts_with("}}") {
            depth.chain()?;
        }
    } else {
        refuse_unavailable(body)?;
    }
    end_of_tag(body.strip_prefix('{').unwrap_or(body))
}

fn refuse_unavailable(body: &str) -> Result<(), &'static str> {
    if body.starts_with('>') {
        return Err("partials are not available");
    }
    if body.starts_with('*') {
        return Err("decorators are not available");
    }
    Ok(())
}

/// The parser would take a long comment without its own end for a short one, but only after a
/// search through the rest of the text: many of them take too long.
fn after_comment(comment: &str) -> Result<Option<&str>, &'static str> {
    let end = match comment.trim_start_matches(SPACE).strip_prefix("--") {
        Some(long) => Some(
            long.split_once("--}}")
                .ok_or("the comment has no end `--}}`")?,
        ),
        None => comment.split_once("}}"),
    };
    Ok(end.map(|(_, rest)| rest))
}

/// Walks to the end of a tag, which is the first `}}` outside quotes.
fn end_of_tag(body: &str) -> Result<Option<&str>, &'static str> {
    let mut rest = body;
    let mut calls = 0_usize;
    loop {
        if let Some(after) = rest.strip_prefix("}}") {
            return Ok(Some(after));
        }
        let mut chars = rest.chars();
        let next = match chars.next() {
            None => return Ok(None),
            Some(quote @ ('"' | '\'')) => after_quote(quote, chars.as_str()),
            Some('[') => after_list(chars.as_str())?,
            Some('{') => return Err("objects within a tag are not available"),
            Some('(') if calls == DEEPEST => return Err("calls are nested too deeply"),
            Some(other) => {
                match other {
                    '(' => calls += 1,
                    ')' => calls = calls.saturating_sub(1),
                    _ => {}
                }
                Some(chars.as_str())
            }
        };
        let Some(next) = next else { return Ok(None) };
        rest = next;
    }
}

fn after_quote(quote: char, body: &str) -> Option<&str> {
    let mut escaped = false;
    let mut chars = body.chars();
    loop {
        match chars.next()? {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            char if char == quote => return Some(chars.as_str()),
            _ => {}
        }
    }
}

/// A list of plain values, or a name in brackets. Where the two could be told
/// apart only by parsing, neither is taken.
fn after_list(body: &str) -> Result<Option<&str>, &'static str> {
    let Some((inside, rest)) = body.split_once(']') else {
        return Ok(None);
    };
    let mut inside = inside;
    while let Some(at) = inside.find(['"', '\'', '[', '(', '{']) {
        let mut chars = inside.get(at..).unwrap_or_default().chars();
        let quoted = match chars.next() {
            Some(quote @ ('"' | '\'')) => after_quote(quote, chars.as_str()),
            _ => None,
        };
        inside = quoted.ok_or("only plain values are available between `[` and `]`")?;
    }
    Ok(Some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        check(text).unwrap_err().reason
    }

    #[test]
    fn ordinary_templates_pass() {
        for text in [
            "",
            "no tag, but (((((((((((((((((((((((((((((((((((((((( and }} and \\{{",
            "{{#if a}}{{#each b}}{{this}}{{/each}}{{else if c}}d{{else}}e{{/if}}",
            "{{{a}}} {{~a~}} {{&a}} {{default a \"}}((((\"}} {{default a '{{#if'}}",
            "{{upper (lower (trim a))}} {{[odd name]}} {{#each [\"a\", 'b', 1]}}{{this}}{{/each}}",
            "{{!-- {{#if}} (((((((((((((((((((((((((((((((((((((((((((( --}}{{! a }}",
            "\\{{#if}} \\{{{{raw}}}}",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        assert_eq!(
            check(&"{{#if a}}b{{/if}}{{upper (trim a)}}".repeat(1_000)),
            Ok(())
        );
    }

    #[test]
    fn depth_is_bounded_whatever_it_is_made_of() {
        let nested =
            |open: &str, close: &str, levels: usize| open.repeat(levels) + &close.repeat(levels);
        assert_eq!(check(&nested("{{#if a}}", "{{/if}}", DEEPEST)), Ok(()));
        for text in [
            nested("{{#if a}}", "{{/if}}", DEEPEST + 1),
            nested("{{ ~ #if a}}", "", 10_000),
            format!(
                "{{{{#if a}}}}{}{{{{/if}}}}",
                "{{else if a}}".repeat(DEEPEST)
            ),
            format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{^ if a}}".repeat(DEEPEST)),
            format!("{{{{upper {}", "(upper ".repeat(DEEPEST + 1)),
            // Closers that the parser does not count either.
            nested("{{#if a}}{{!-- {{/if}} --}}", "", DEEPEST + 1),
            nested("{{#if a}}\\{{/if}}", "", DEEPEST + 1),
            nested("{{#if \"}}{{/if}}\"}}", "", DEEPEST + 1),
            format!("{{{{f \"}}}}\" {}", "(f ".repeat(DEEPEST + 1)),
            format!("{{{{f [a]  \")\" {}", "(f \")\" ".repeat(DEEPEST + 1)),
        ] {
            assert!(reason(&text).contains("too deeply"), "{text:.60}");
        }
    }

    #[test]
    fn what_is_not_offered_is_named_with_its_line() {
        for (text, part) in [
            ("\n\n{{> header}}", "partials"),
            ("\n\n{{~ #> layout}}{{/layout}}", "partials"),
            ("\n\n{{#*inline \"a\"}}{{/inline}}", "decorators"),
            ("\n\n{{* a}}", "decorators"),
            ("\n\n{{{{raw}}}}{{{{/raw}}}}", "raw blocks"),
            ("\n\n{{f {\"a\":1}}}", "objects"),
            ("\n\n{{f [[1]]}}", "plain values"),
            ("\n\n{{f [it's]}}", "plain values"),
        ] {
            let fault = check(text).unwrap_err();
            assert!(fault.reason.contains(part), "{text}: {fault}");
            assert_eq!(fault.line, Some(3));
        }
    }
}
