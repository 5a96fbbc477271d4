//! Which database: chosen by the scheme of the URL, and by nothing else.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The two databases Beadle runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// One file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// A checked `DATABASE_URL`. Its `Debug` and `Display` hide the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://PATH`
    Sqlite(PathBuf),
    /// `postgres://…`, as libpq takes it.
    Postgres(String),
}

/// Why a text is no database URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DatabaseUrlError {
    /// Neither of the two schemes.
    #[error("`{0}` is not a database URL; expected `sqlite://PATH` or `postgres://…`")]
    Scheme(String),
    /// `sqlite://` without a path.
    #[error("`sqlite://` names no file; expected `sqlite://PATH`")]
    NoPath,
    /// A path that SQLite would give a meaning of its own.
    #[error("`{0}` is not a file; expected `sqlite://PATH` with the path of a file")]
    NotAFile(String),
    /// A PostgreSQL URL that does not parse.
    #[error("`{url}` is not a valid PostgreSQL URL: {reason}")]
    Postgres {
        /// The URL without its password.
        url: String,
        /// What the parser says.
        reason: String,
    },
}

impl DatabaseUrl {
    /// Which of the two databases this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    /// The file, if it is SQLite.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return sqlite(path);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return postgres(text);
        }
        Err(DatabaseUrlError::Scheme(without_password(text)))
    }
}

fn sqlite(path: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    if path.is_empty() {
        return Err(DatabaseUrlError::NoPath);
    }
    // `:memory:` is one database per connection, and `?` starts options that SQLite
    // takes only in its own URI form.
    if path.starts_with(':') || path.contains('?') || path.ends_with('/') {
        return Err(DatabaseUrlError::NotAFile(path.to_owned()));
    }
    Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
}

fn postgres(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    match text.parse::<tokio_postgres::Config>() {
        Ok(_) => Ok(DatabaseUrl::Postgres(text.to_owned())),
        Err(error) => Err(DatabaseUrlError::Postgres {
            url: without_password(text),
            reason: super::error::one_line(&error),
        }),
    }
}

/// `scheme://user:secret@host` as `scheme://user:***@host`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((credentials, host)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    match credentials.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
        None => url.to_owned(),
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_the_database() {
        let sqlite: DatabaseUrl = "sqlite://data/beadle.db".parse().unwrap();
        assert_eq!(sqlite, DatabaseUrl::Sqlite("data/beadle.db".into()));
        let pg: DatabaseUrl = "postgres://u:p@localhost/b".parse().unwrap();
        assert_eq!(pg.backend(), Backend::Postgres);
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for text in [
            "beadle.db",
            "",
            "sqlit://x",
            "mysql://h/db",
            "sqlite:x",
            "sqlite://",
            "sqlite://:memory:",
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains("sqlite://"), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: DatabaseUrl = "postgres://beadle:s3cret@db/b".parse().unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "postgres://beadle:***@db/b postgres://beadle:***@db/b"
        );
        let error = "mysql://a:s3cret@h/b".parse::<DatabaseUrl>().unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }
}
