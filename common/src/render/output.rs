//! Where a template writes to: a text that cannot grow without end.

use std::io;

use handlebars::Output;

/// The most that one part of an email may come to. Beyond it a mail is more likely
/// a loop over too much data than something to read.
pub(super) const LONGEST_TEXT: usize = 1024 * 1024;

/// Collects at most `limit` bytes; one more is an error, so that loops over large
/// data end early.
pub(super) struct BoundedText {
    text: String,
    limit: usize,
}

impl BoundedText {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
        }
    }

    /// Without NULs: PostgreSQL stores none in a text, and no mail may have any (RFC 5322, 4). A
    /// template can spell one, so that what it makes could not be kept, and an action that sends
    /// it never ended.
    pub(super) fn into_text(self) -> String {
        self.text.replace('\0', "\u{fffd}")
    }
}

impl Output for BoundedText {
    fn write(&mut self, segment: &str) -> io::Result<()> {
        if segment.len() > self.limit.saturating_sub(self.text.len()) {
            return Err(io::Error::other(format!(
                "the text grows beyond {} bytes",
                self.limit
            )));
        }
        self.text.push_str(segment);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_template_makes_can_be_stored() {
        let mut text = BoundedText::new(4);
        text.write("a\0b").unwrap();
        assert_eq!(text.into_text(), "a\u{fffd}b");
    }

    #[test]
    fn the_limit_itself_fits_and_one_more_byte_does_not() {
        let mut text = BoundedText::new(4);
        text.write("abc").unwrap();
        text.write("d").unwrap();
        assert!(text.write("e").is_err());
        assert_eq!(text.into_text(), "abcd");
    }
}
