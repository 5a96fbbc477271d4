//! The last words of a command that failed.

use std::error::Error;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Command, Parser};

/// A last change to a command before these arguments are read.
pub type Adjust = fn(Command, &[OsString]) -> Command;

/// Reads the command line and the environment. A `.env` file sets what is not set.
///
/// A bad value ends the process with code 2 and one line that names the variable, the
/// value and what was expected; other mistakes with clap's usual help.
#[must_use]
pub fn parse_arguments<C: Parser>(program: &str, adjust: Adjust) -> C {
    // No such file is the usual case.
    let _ = dotenvy::dotenv();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let command = adjust(C::command(), &arguments);
    let parsed = command
        .try_get_matches_from(arguments)
        .and_then(|matches| C::from_arg_matches(&matches));
    let error = match parsed {
        Ok(parsed) => return parsed,
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            say(program, &first_paragraph(&error.render().to_string()));
            std::process::exit(error.exit_code())
        }
        _ => error.exit(),
    }
}

/// What clap says before it goes on to usage and hints.
fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// Writes an error and its causes to standard error, in one line.
pub fn complain(program: &str, error: &(dyn Error + 'static)) {
    say(program, &one_line(error));
}

#[expect(clippy::print_stderr, reason = "this is what standard error is for")]
fn say(program: &str, line: &str) {
    eprintln!("{program}: {line}");
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
