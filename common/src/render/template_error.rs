//! What is wrong with a template, and where.

use std::fmt;

use handlebars::template::TemplateMapping;

/// When a fault shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// In the text alone, whatever the variables are.
    Parse,
    /// With these variables.
    Render,
}

/// The first thing that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// When it shows.
    pub kind: TemplateErrorKind,
    /// The line, from 1, if known.
    pub line: Option<usize>,
    /// The column, from 1, if known.
    pub column: Option<usize>,
    /// What is wrong, in words for the author of the template.
    pub reason: String,
}

impl TemplateError {
    pub(super) fn parse(reason: impl Into<String>) -> Self {
        Self::new(TemplateErrorKind::Parse, reason.into())
    }

    pub(super) fn render(reason: impl Into<String>) -> Self {
        Self::new(TemplateErrorKind::Render, reason.into())
    }

    pub(super) fn unknown_name(name: &str) -> Self {
        Self::render(unknown_name(name))
    }

    fn new(kind: TemplateErrorKind, reason: String) -> Self {
        Self {
            kind,
            line: None,
            column: None,
            reason,
        }
    }

    /// Adds the place, unless a more exact one is known.
    pub(super) fn at(mut self, place: Option<&TemplateMapping>) -> Self {
        if self.line.is_none()
            && let Some(place) = place
        {
            self.line = Some(place.0);
            self.column = Some(place.1);
        }
        self
    }
}

pub(super) fn unknown_name(name: &str) -> String {
    format!("there is no variable `{name}`")
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}")?;
            if let Some(column) = self.column {
                write!(formatter, ", column {column}")?;
            }
            formatter.write_str(": ")?;
        }
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for TemplateError {}

impl From<handlebars::TemplateError> for TemplateError {
    fn from(error: handlebars::TemplateError) -> Self {
        let (line, column) = error.pos().unzip();
        Self {
            line,
            column,
            ..Self::parse(error.reason().to_string())
        }
    }
}

impl From<handlebars::RenderError> for TemplateError {
    fn from(error: handlebars::RenderError) -> Self {
        use handlebars::RenderErrorReason as Reason;
        let reason = match error.reason() {
            Reason::Other(reason) => reason.clone(),
            Reason::IOError(error) => error.to_string(),
            Reason::MissingVariable(Some(name)) => unknown_name(name),
            reason => reason.to_string(),
        };
        Self {
            line: error.line_no,
            column: error.column_no,
            ..Self::render(reason)
        }
    }
}
