//! Where mail goes: an SMTP server or a directory, and how that is written.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use url::{Url, form_urlencoded};

use crate::dispatcher::Server;

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Security {
    /// Not at all.
    None,
    /// TLS from the first byte.
    Ssl,
    /// Upgraded by STARTTLS. A server that does not offer it gets no mail: an
    /// attacker in between could hide the offer.
    StartTls,
}

/// One SMTP server and how to talk to it.
#[derive(Clone)]
pub struct SmtpTarget {
    /// Name or address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Protection of the connection.
    pub security: Security,
    /// User and password, if the server wants them.
    pub credentials: Option<(String, SecretString)>,
    /// Who named it.
    pub named_by: NamedBy,
}

/// Who named a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedBy {
    /// Whoever runs Beadle, who may name any.
    Operator,
    /// A tenant, whose servers go through the address guard.
    Tenant,
}

impl SmtpTarget {
    /// Everything that makes one connection unfit for another target. The
    /// password is part of it: a mended one must not ride on an old login. And
    /// so is who named it: no tenant gets past the guard on a connection of
    /// the operator's.
    fn identity(&self) -> (NamedBy, &str, u16, Security, Option<(&str, &str)>) {
        let credentials = self
            .credentials
            .as_ref()
            .map(|(user, password)| (user.as_str(), password.expose_secret()));
        let security = self.security;
        (self.named_by, &self.host, self.port, security, credentials)
    }

    /// The name under which tenants share the few connections that a server
    /// takes. None: a login of its own is nobody else's.
    fn shared_as(&self) -> Option<Server> {
        match (self.named_by, &self.credentials) {
            // Whatever tenants do to a server of this name takes nothing from it.
            (NamedBy::Operator, _) => Some("the operator's".into()),
            (NamedBy::Tenant, Some(_)) => None,
            (NamedBy::Tenant, None) => {
                let (host, port) = (self.host.to_lowercase(), self.port);
                Some(format!("{host}:{port}:{:?}", self.security).into())
            }
        }
    }
}

impl PartialEq for SmtpTarget {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for SmtpTarget {}

impl Hash for SmtpTarget {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Debug for SmtpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpTarget")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// Where mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailTarget {
    /// To a server.
    Smtp(SmtpTarget),
    /// Into files, one `.eml` each: for development, tests and the demo.
    Dir(PathBuf),
}

/// The text names no place for mail. Does not repeat it: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither of the schemes.
    #[error("mail target must start with `dir://`, `smtp://` or `smtps://`")]
    Scheme,
    /// Nothing after `dir://`.
    #[error("mail target `dir://` needs a path, e.g. `dir://mail`")]
    NoPath,
    /// Not a URL.
    #[error("mail target is not a url ({0}); percent-encode special characters of the password")]
    Url(url::ParseError),
    /// No host.
    #[error("mail target needs a host, e.g. `smtp://mail.example`")]
    NoHost,
    /// A path, which SMTP does not know.
    #[error("mail target has a path `{0}`; remove it")]
    Path(String),
    /// An option that does not exist.
    #[error("mail target option `{0}` is not known; `smtp://` knows `tls=required`")]
    Option(String),
    /// A user without password, or the reverse.
    #[error("mail target needs both user and password, or neither")]
    HalfCredentials,
}

impl MailTarget {
    /// Which server's connections it shares with others; see [`Server`].
    #[must_use]
    pub fn server(&self) -> Option<Server> {
        match self {
            Self::Smtp(server) => server.shared_as(),
            Self::Dir(_) => None,
        }
    }

    /// Reads `dir://PATH`, `smtp://[user:password@]host[:port][?tls=required]`
    /// or `smtps://[user:password@]host[:port]`.
    ///
    /// `smtp://` is plain (port 25) and with `tls=required` upgraded by
    /// STARTTLS (port 587); `smtps://` is TLS from the first byte (port 465).
    ///
    /// # Errors
    /// With what is wrong, without repeating the text.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        if let Some(path) = text.strip_prefix("dir://") {
            if path.is_empty() {
                return Err(TargetError::NoPath);
            }
            return Ok(Self::Dir(PathBuf::from(path)));
        }
        if !(text.starts_with("smtp://") || text.starts_with("smtps://")) {
            return Err(TargetError::Scheme);
        }
        let url = Url::parse(text).map_err(TargetError::Url)?;
        let security = security(&url)?;
        if !matches!(url.path(), "" | "/") {
            return Err(TargetError::Path(url.path().to_owned()));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        Ok(Self::Smtp(SmtpTarget {
            host: host.ok_or(TargetError::NoHost)?.to_ascii_lowercase(),
            port: url.port().unwrap_or(default_port(security)),
            security,
            credentials: credentials(&url)?,
            named_by: NamedBy::Operator,
        }))
    }
}

fn security(url: &Url) -> Result<Security, TargetError> {
    let wrapped = url.scheme() == "smtps";
    let mut security = if wrapped {
        Security::Ssl
    } else {
        Security::None
    };
    for (name, value) in url.query_pairs() {
        match (wrapped, name.as_ref(), value.as_ref()) {
            (false, "tls", "required") => security = Security::StartTls,
            _ => return Err(TargetError::Option(format!("{name}={value}"))),
        }
    }
    Ok(security)
}

fn default_port(security: Security) -> u16 {
    match security {
        Security::None => 25,
        Security::Ssl => 465,
        Security::StartTls => 587,
    }
}

fn credentials(url: &Url) -> Result<Option<(String, SecretString)>, TargetError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(TargetError::HalfCredentials),
        (user, Some(password)) => Ok(Some((
            percent_decode(user),
            SecretString::from(percent_decode(password)),
        ))),
    }
}

/// Decodes the user part of a URL. The form decoder does the work; what means
/// something in forms but nothing here is escaped first.
fn percent_decode(text: &str) -> String {
    let escaped = text
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(text: &str) -> SmtpTarget {
        match MailTarget::parse(text).unwrap() {
            MailTarget::Smtp(target) => target,
            MailTarget::Dir(path) => panic!("{path:?}"),
        }
    }

    #[test]
    fn directories_are_read() {
        let relative = MailTarget::Dir(PathBuf::from("mail"));
        assert_eq!(MailTarget::parse("dir://mail").unwrap(), relative);
        let absolute = MailTarget::Dir(PathBuf::from("/var/mail out"));
        assert_eq!(MailTarget::parse("dir:///var/mail out").unwrap(), absolute);
    }

    #[test]
    fn servers_are_read() {
        for (text, host, port, security) in [
            ("smtp://localhost", "localhost", 25, Security::None),
            (
                "smtp://Mail.Example:1025/",
                "mail.example",
                1025,
                Security::None,
            ),
            ("smtp://[::1]:25", "[::1]", 25, Security::None),
            (
                "smtp://a.example?tls=required",
                "a.example",
                587,
                Security::StartTls,
            ),
            ("smtps://a.example", "a.example", 465, Security::Ssl),
        ] {
            let target = smtp(text);
            assert_eq!(target.host, host);
            assert_eq!((target.port, target.security), (port, security), "{text}");
            assert!(target.credentials.is_none());
        }
    }

    #[test]
    fn credentials_are_decoded() {
        let target = smtp("smtps://me%40a.example:p%2Bq+r%26s=t%2F%25@a.example");
        let (user, password) = target.credentials.unwrap();
        assert_eq!(user, "me@a.example");
        assert_eq!(password.expose_secret(), "p+q+r&s=t/%");
    }

    #[test]
    fn mistakes_are_told_without_the_password() {
        for (text, told) in [
            ("mail.example", "must start with"),
            ("http://mail.example", "must start with"),
            ("dir://", "needs a path"),
            ("smtp://", "needs a host"),
            ("smtp://u:sesame@a.example:x", "not a url"),
            ("smtp://u:sesame@a.example/path", "has a path `/path`"),
            ("smtp://u:sesame@a.example?tls=maybe", "option `tls=maybe`"),
            ("smtps://a.example?tls=required", "option `tls=required`"),
            ("smtp://u@a.example", "both user and password"),
        ] {
            let error = MailTarget::parse(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
            assert!(!error.contains("sesame"));
        }
        assert!(!format!("{:?}", smtp("smtp://u:sesame@a")).contains("sesame"));
    }

    #[test]
    fn another_password_is_another_target() {
        let one = smtp("smtp://u:a@mail.example");
        assert_eq!(one, smtp("smtp://u:a@mail.example"));
        assert_ne!(one, smtp("smtp://u:b@mail.example"));
    }
}
