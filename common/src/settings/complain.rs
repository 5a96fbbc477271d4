//! The last words of a command that failed.

use std::error::Error;

/// Writes an error and its causes to standard error, in one line.
#[expect(clippy::print_stderr, reason = "this is what standard error is for")]
pub fn complain(program: &str, error: &(dyn Error + 'static)) {
    eprintln!("{program}: {}", one_line(error));
}

/// An error and its causes on one line, without saying anything twice.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Many errors repeat their cause already.
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
