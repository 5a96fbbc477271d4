//! Text in headers that the mail library would write as it is, and must not: words too long
//! for a line, and what only looks as if it were encoded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Lines of mail have 998 bytes at most, and break at spaces only.
const LONGEST_WORD: usize = 200;

/// Bytes in one encoded word: with its frame it stays below the 75 characters that it may
/// have, behind the name of a header too.
const CHUNK: usize = 36;

/// Whether text has to be encoded although its characters do not ask for it.
pub(super) fn is_treacherous(text: &str) -> bool {
    text.contains("=?") || text.split(' ').any(|word| word.len() > LONGEST_WORD)
}

/// The text in encoded words (RFC 2047), one on each line.
pub(super) fn encoded(text: &str) -> String {
    let mut words = Vec::new();
    let mut chunk = String::new();
    for char in text.chars() {
        if chunk.len() + char.len_utf8() > CHUNK {
            words.push(word(&chunk));
            chunk.clear();
        }
        chunk.push(char);
    }
    if !chunk.is_empty() {
        words.push(word(&chunk));
    }
    words.join("\r\n ")
}

fn word(chunk: &str) -> String {
    format!("=?utf-8?b?{}?=", STANDARD.encode(chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_lines_or_readers_is_treacherous() {
        for text in ["", "Hello you", "a = b?", "Größe", &"word ".repeat(500)] {
            assert!(!is_treacherous(text), "{text}");
        }
        for text in ["=?utf-8?q?Boss?=", &"w".repeat(201)] {
            assert!(is_treacherous(text), "{text}");
        }
    }

    #[test]
    fn no_character_is_cut_and_no_line_is_long() {
        let text = "é😀x ".repeat(40);
        let encoded = encoded(&text);
        let mut decoded = String::new();
        for line in encoded.split("\r\n ") {
            assert!(line.len() <= 75, "{line}");
            let payload = line.strip_prefix("=?utf-8?b?").unwrap();
            let payload = payload.strip_suffix("?=").unwrap();
            let bytes = STANDARD.decode(payload).unwrap();
            decoded.push_str(str::from_utf8(&bytes).unwrap());
        }
        assert_eq!(decoded, text);
    }
}
