//! One webhook request: what the caller hands over, and how it becomes HTTP.
//! The product's own headers always win over the customer's.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::core::outcome::{ErrorClass, Failure};

/// The header that carries the optional signature in JWT form.
const SIGNATURE_JWT: HeaderName = HeaderName::from_static("x-fusionauth-signature-jwt");

/// Headers that a customer may not set: they frame the message, or steer the
/// connection instead of informing the receiver.
const RESERVED: [&str; 12] = [
    "connection",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Families of headers that a customer may not set.
const RESERVED_PREFIXES: [&str; 2] = ["content-", "webhook-"];

/// A signed event for one webhook, ready to go.
#[derive(Clone)]
pub struct WebhookRequest {
    /// Where to.
    pub url: String,
    /// The customer's own headers. Reserved ones are left out.
    pub headers: Vec<(String, SecretString)>,
    /// User and password of HTTP basic authentication.
    pub basic_auth: Option<(String, SecretString)>,
    /// `webhook-id`: the event's id, the same on every attempt.
    pub id: String,
    /// `webhook-timestamp`: the whole Unix seconds of this attempt.
    pub timestamp: i64,
    /// `webhook-signature`: all entries.
    pub signature: String,
    /// The signature over the body in JWT form, if the webhook asks for one.
    pub signature_jwt: Option<String>,
    /// The exact bytes that were signed.
    pub body: Bytes,
    /// The longest time for making a connection.
    pub connect_timeout: Duration,
    /// The longest time for the answer.
    pub read_timeout: Duration,
}

impl fmt::Debug for WebhookRequest {
    /// Only the id: the url, the headers and the body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRequest")
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl WebhookRequest {
    /// The request as HTTP.
    ///
    /// # Errors
    /// A failure that says which setting of the webhook cannot be sent.
    pub(super) fn to_http(&self, user_agent: &str) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target(&self.url)?;
        let headers = request.headers_mut();
        self.add_custom(headers)?;
        self.add_own(headers, user_agent)?;
        Ok(request)
    }

    fn add_custom(&self, headers: &mut HeaderMap) -> Result<(), Failure> {
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| unsendable(format!("header name `{}`", name.escape_debug())))?;
            if is_reserved(&name) {
                continue;
            }
            let value = value.expose_secret().trim().as_bytes();
            let mut value = HeaderValue::from_bytes(value)
                .map_err(|_| unsendable(format!("value of header `{name}`")))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(())
    }

    /// Set last, by replacing, so that nothing of the customer's remains beside.
    fn add_own(&self, headers: &mut HeaderMap, user_agent: &str) -> Result<(), Failure> {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, own("user agent", user_agent)?);
        let id = HeaderName::from_static("webhook-id");
        headers.insert(id, own("webhook-id", &self.id)?);
        let timestamp = HeaderName::from_static("webhook-timestamp");
        headers.insert(timestamp, HeaderValue::from(self.timestamp));
        let signature = HeaderName::from_static("webhook-signature");
        headers.insert(signature, own("webhook-signature", &self.signature)?);
        if let Some(jwt) = &self.signature_jwt {
            headers.insert(SIGNATURE_JWT, own("signature JWT", jwt)?);
        }
        if let Some((user, password)) = &self.basic_auth {
            headers.insert(AUTHORIZATION, basic(user, password)?);
        }
        Ok(())
    }
}

fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str();
    RESERVED.contains(&name)
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

fn own(what: &str, value: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(value).map_err(|_| unsendable(what.to_owned()))
}

fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, Failure> {
    let pair = format!("{user}:{}", password.expose_secret());
    let mut value = own(
        "basic authentication",
        &format!("Basic {}", STANDARD.encode(pair)),
    )?;
    value.set_sensitive(true);
    Ok(value)
}

/// The url in the form that goes on the wire. Credentials and fragment are
/// not part of that.
fn target(url: &str) -> Result<Uri, Failure> {
    // The url itself stays out of the message: its query may hold a token.
    let mut url = Url::parse(url)
        .map_err(|error| unsendable(format!("url ({error}); change the webhook's url")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unsendable(format!("url scheme `{}`", url.scheme())));
    }
    url.set_fragment(None);
    // These fail only for urls without a host, which http does not have.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Uri::try_from(url.as_str()).map_err(|error| unsendable(format!("url ({error})")))
}

fn unsendable(what: String) -> Failure {
    Failure::new(ErrorClass::Unknown, format!("cannot send this {what}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn request(url: &str) -> WebhookRequest {
        WebhookRequest {
            url: url.to_owned(),
            headers: Vec::new(),
            basic_auth: None,
            id: "5dba9944-ce71-4ce0-b18f-c44723e7394b".to_owned(),
            timestamp: 1_750_000_000,
            signature: "v1,AAAA v1a,BBBB".to_owned(),
            signature_jwt: None,
            body: Bytes::from_static(b"{\"event\":{}}"),
            connect_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_secs(2),
        }
    }

    fn header(name: &str, value: &str) -> (String, SecretString) {
        (name.to_owned(), SecretString::from(value))
    }

    #[test]
    fn custom_headers_override_none_of_ours() {
        let mut request = request("https://a.example/hook");
        request.basic_auth = Some(("u".to_owned(), SecretString::from("p")));
        request.signature_jwt = Some("a.b.c".to_owned());
        request.headers = vec![
            header("Content-Type", "text/plain"),
            header("Content-Length", "1"),
            header("WEBHOOK-ID", "other"),
            header("Webhook-Anything", "other"),
            header("Host", "other"),
            header("Authorization", "Bearer x"),
            header("User-Agent", "other"),
            header("Transfer-Encoding", "chunked"),
            header("X-FusionAuth-Signature-JWT", "other"),
            header("X-Own", " kept "),
        ];
        let http = request.to_http("Beadle/1").unwrap();
        let mut found: Vec<_> = http
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "authorization: Basic dTpw",
                "content-type: application/json",
                "user-agent: Beadle/1",
                "webhook-id: 5dba9944-ce71-4ce0-b18f-c44723e7394b",
                "webhook-signature: v1,AAAA v1a,BBBB",
                "webhook-timestamp: 1750000000",
                "x-fusionauth-signature-jwt: a.b.c",
                "x-own: kept",
            ]
        );
    }

    #[test]
    fn authorization_is_the_customers_without_basic_authentication() {
        let mut request = request("https://a.example/hook");
        request.headers = vec![header("Authorization", "Bearer x")];
        let http = request.to_http("Beadle/1").unwrap();
        assert_eq!(http.headers()[AUTHORIZATION], "Bearer x");
    }

    #[test]
    fn credentials_and_fragment_of_the_url_do_not_travel() {
        let http = request("https://user:secret@a.example/hook?x=1#part");
        let http = http.to_http("Beadle/1").unwrap();
        assert_eq!(http.uri().to_string(), "https://a.example/hook?x=1");
    }

    #[test]
    fn what_cannot_be_sent_is_named_without_its_value() {
        let mut broken = request("https://a.example/hook");
        broken.headers = vec![header("X-Own", "a\r\nb: secret")];
        let failure = broken.to_http("Beadle/1").unwrap_err();
        assert_eq!(failure.class, ErrorClass::Unknown);
        assert_eq!(failure.message, "cannot send this value of header `x-own`");
        for url in ["ftp://a.example/", "not a url", "https://"] {
            let failure = request(url).to_http("Beadle/1").unwrap_err();
            assert!(failure.message.contains("url"), "{}", failure.message);
        }
    }

    #[test]
    fn nothing_secret_shows_in_debug_output() {
        let mut request = request("https://a.example/hook?token=secret");
        request.headers = vec![header("X-Own", "secret")];
        assert!(!format!("{request:?}").contains("secret"));
    }
}
