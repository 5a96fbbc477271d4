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
    // `:memory:` is one database per connection, `file:` starts SQLite's own URI form,
    // and `?` the options that only that form knows.
    let special = path.starts_with(':') || path.starts_with("file:") || path.contains("://");
    if special || path.contains(['?', '\0']) || path.ends_with('/') {
        return Err(DatabaseUrlError::NotAFile(path.to_owned()));
    }
    Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
}

fn postgres(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    // libpq is the one that has to understand the parameters: it knows more of them, those
    // for certificates among them, and says so when it connects.
    let address = text.split_once('?').map_or(text, |(address, _)| address);
    let refused = |reason: String| DatabaseUrlError::Postgres {
        url: without_password(text),
        reason,
    };
    if !is_decodable(text) {
        let reason = "write `%` as `%25` and a space as `%20`, in the password, too";
        return Err(refused(reason.to_owned()));
    }
    match address.parse::<tokio_postgres::Config>() {
        Ok(_) => Ok(DatabaseUrl::Postgres(text.to_owned())),
        Err(error) => Err(refused(super::error::one_line(&error))),
    }
}

/// How long a server may be silent. Without them libpq waits for one that vanished without a
/// word as long as the system does, which is hours.
const BOUNDS: [(&str, &str); 5] = [
    // In seconds, for each host.
    ("connect_timeout", "3"),
    // An idle connection is asked after 10 s, and given up 9 s later.
    ("keepalives_idle", "10"),
    ("keepalives_interval", "3"),
    ("keepalives_count", "3"),
    // In milliseconds: what was sent and nobody has acknowledged.
    ("tcp_user_timeout", "15000"),
];

/// The URL with bounds for waits that it does not bound itself. One that names several hosts
/// is led to the one that takes changes.
pub(super) fn with_bounded_waits(url: &str) -> String {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let names: Vec<&str> = parameters
        .split('&')
        .filter_map(|parameter| Some(parameter.split_once('=')?.0))
        .collect();
    let several_hosts = address.contains(',') || parameters.contains(',');
    let primary = several_hosts.then_some(("target_session_attrs", "read-write"));
    let missing = BOUNDS
        .into_iter()
        .chain(primary)
        .filter(|(name, _)| !names.contains(name))
        .map(|(name, value)| format!("{name}={value}"));
    let given = (!parameters.is_empty()).then(|| parameters.to_owned());
    let all: Vec<String> = given.into_iter().chain(missing).collect();
    format!("{address}?{}", all.join("&"))
}

/// What libpq can decode. What it cannot, a password perhaps, it repeats in its complaint.
fn is_decodable(text: &str) -> bool {
    let mut encoded = text.split('%');
    let plain = encoded.next().unwrap_or_default();
    let codes_are_bytes = encoded.all(|part| {
        let digits = part.get(..2).unwrap_or_default();
        u8::from_str_radix(digits, 16).is_ok_and(|byte| byte != 0)
    });
    let is_shown = |c: char| !c.is_whitespace() && !c.is_control();
    codes_are_bytes && !plain.is_empty() && text.chars().all(is_shown)
}

/// `scheme://user:secret@host` as `scheme://user:***@host`, and the same for a password
/// among the parameters. It has to hold for texts that are no URLs, too.
fn without_password(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let (credentials, rest) = match rest.rsplit_once('@') {
        Some((credentials, host)) => match credentials.split_once(':') {
            Some((user, _)) => (format!("{user}:***@"), host),
            None => (String::new(), rest),
        },
        None => (String::new(), rest),
    };
    let hidden = |part: &str| match part.split_once('=') {
        Some((name, _)) if name.contains("password") => format!("{name}=***"),
        _ => part.to_owned(),
    };
    let parts: Vec<String> = rest.split('&').map(hidden).collect();
    format!("{scheme}{credentials}{}", parts.join("&"))
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
            "sqlite://file::memory:",
            "sqlite://file:x",
            "sqlite://x?mode=memory",
            "sqlite://folder/",
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
        for text in [
            "beadle:s3cret@db/b",
            "postgres:/beadle:s3cret@db/b",
            "mysql://h/b?user=a&password=s3cret&x=y",
            "postgres://h:port/b?password=s3cret",
            "postgres://a:s3cret?s3cret@h:port/b",
            "postgres://a:s3cret%zz@h/b",
            "postgres://a:s3cret%@h/b",
            "postgres://a:s3cret%00@h/b",
            "postgres://a:s3cret s3cret@h/b",
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_url_gets_the_bounds_that_it_does_not_name() {
        assert_eq!(
            with_bounded_waits("postgres://u:p@h/b"),
            "postgres://u:p@h/b?connect_timeout=3&keepalives_idle=10&keepalives_interval=3\
             &keepalives_count=3&tcp_user_timeout=15000"
        );
        let own = "postgres://h/b?connect_timeout=60&sslmode=require&tcp_user_timeout=0";
        assert_eq!(
            with_bounded_waits(own),
            format!("{own}&keepalives_idle=10&keepalives_interval=3&keepalives_count=3")
        );
    }

    #[test]
    fn several_hosts_are_asked_for_the_one_that_takes_changes() {
        let asks = |url: &str| with_bounded_waits(url).contains("target_session_attrs=read-write");
        assert!(asks("postgres://u@a:5432,b:5433/beadle"));
        assert!(asks("postgres:///beadle?host=a,b"));
        assert!(!asks("postgres://u@a/beadle"));
        assert!(!asks("postgres://a,b/beadle?target_session_attrs=any"));
    }

    #[test]
    fn parameters_are_left_to_libpq() {
        let text = "postgres://u@h/b?sslmode=verify-full&sslrootcert=/etc/ca.pem";
        assert_eq!(text.parse(), Ok(DatabaseUrl::Postgres(text.to_owned())));
    }
}
