//! DKIM (RFC 6376, and RFC 8463 for Ed25519): a mail's signature by the domain that it
//! comes from.
//!
//! Both forms of canonicalization are `relaxed`, and nothing is drawn or clocked here: the
//! same message has the same signature on every attempt.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::jws::{Algorithm, JwsError, JwsKey};

/// The headers that are signed, as far as a message has them. `From` once more than it is
/// there, so that nobody can put another one beside it.
const SIGNED: [&str; 14] = [
    "from",
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// The signature is folded to lines of this length.
const LINE: usize = 72;

/// Whether keys of this kind can sign mail.
#[must_use]
pub fn can_sign_mail(algorithm: Algorithm) -> bool {
    name(algorithm).is_some()
}

fn name(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Rs256 => Some("rsa-sha256"),
        Algorithm::EdDsa => Some("ed25519-sha256"),
        _ => None,
    }
}

/// Signs the mail of one domain.
#[derive(Debug)]
pub struct Dkim {
    domain: String,
    selector: String,
    algorithm: &'static str,
    key: JwsKey,
    /// Ed25519 signs the hash; for RSA hashing is a part of signing.
    hashed: bool,
}

impl Dkim {
    /// A signer for this domain, whose public key is published at
    /// `selector._domainkey.domain`. `None` if the key is of a kind that mail knows not.
    #[must_use]
    pub fn new(domain: &str, selector: &str, algorithm: Algorithm, key: JwsKey) -> Option<Self> {
        Some(Self {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            algorithm: name(algorithm)?,
            key,
            hashed: algorithm == Algorithm::EdDsa,
        })
    }

    /// The header to put before the message, with its line break. `seconds` is when it was
    /// made, since 1970.
    ///
    /// # Errors
    /// Those of the cryptography.
    pub fn header(&self, message: &str, seconds: i64) -> Result<String, JwsError> {
        let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
        let fields = fields(head);
        let signed: Vec<&str> = SIGNED
            .into_iter()
            .filter(|name| fields.iter().any(|field| field.name == *name))
            .collect();
        let unsigned = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={};\r\n s={}; t={seconds};\r\n h={};\r\n bh={};\r\n b=",
            self.algorithm,
            self.domain,
            self.selector,
            signed.join(":\r\n  "),
            STANDARD.encode(Sha256::digest(relaxed_body(body))),
        );
        let mut input = relaxed_fields(&fields, &signed);
        input.push_str(&Field::parse(&unsigned).relaxed());
        let signature = match self.hashed {
            true => self.key.sign(&Sha256::digest(&input))?,
            false => self.key.sign(input.as_bytes())?,
        };
        let mut header = unsigned;
        for (index, char) in STANDARD.encode(signature).chars().enumerate() {
            if index > 0 && index % LINE == 0 {
                header.push_str("\r\n  ");
            }
            header.push(char);
        }
        header.push_str("\r\n");
        Ok(header)
    }
}

/// A header field.
struct Field<'a> {
    /// In lower case.
    name: String,
    /// As it stands, folds and all.
    value: &'a str,
}

impl<'a> Field<'a> {
    fn parse(text: &'a str) -> Self {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        Self {
            name: name.trim().to_ascii_lowercase(),
            value,
        }
    }

    fn relaxed(&self) -> String {
        let words: Vec<&str> = self
            .value
            .split([' ', '\t', '\r', '\n'])
            .filter(|word| !word.is_empty())
            .collect();
        format!("{}:{}", self.name, words.join(" "))
    }
}

/// The fields of a head, from the top. A line that begins with a space continues the last.
fn fields(head: &str) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        let mut end = 0;
        for line in rest.split_inclusive("\r\n") {
            if end > 0 && !line.starts_with([' ', '\t']) {
                break;
            }
            end += line.len();
        }
        let (field, following) = rest.split_at_checked(end).unwrap_or((rest, ""));
        fields.push(Field::parse(field));
        rest = following;
    }
    fields
}

/// The fields of these names, each name taking the last that is left; a name for which
/// none is left adds nothing.
fn relaxed_fields(fields: &[Field<'_>], names: &[&str]) -> String {
    let mut left: Vec<&Field<'_>> = fields.iter().collect();
    let mut text = String::new();
    for name in names {
        if let Some(at) = left.iter().rposition(|field| field.name == *name) {
            text.push_str(&left.remove(at).relaxed());
            text.push_str("\r\n");
        }
    }
    text
}

fn relaxed_body(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut empty = 0;
    for line in body.split("\r\n") {
        let mut relaxed = String::with_capacity(line.len());
        for char in line.chars() {
            match char {
                ' ' | '\t' if relaxed.ends_with(' ') => {}
                ' ' | '\t' => relaxed.push(' '),
                char => relaxed.push(char),
            }
        }
        let relaxed = relaxed.trim_end_matches(' ');
        if relaxed.is_empty() {
            empty += 1;
            continue;
        }
        text.extend(std::iter::repeat_n("\r\n", empty));
        empty = 0;
        text.push_str(relaxed);
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nMessage-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

    #[test]
    fn bodies_are_relaxed_as_the_standard_says() {
        for (body, relaxed) in [
            ("", ""),
            ("\r\n\r\n", ""),
            (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
            ("a\r\n\r\nb", "a\r\n\r\nb\r\n"),
        ] {
            assert_eq!(relaxed_body(body), relaxed, "{body:?}");
        }
        // The hash that RFC 8463 gives for its sample message.
        let (_, body) = MESSAGE.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            STANDARD.encode(Sha256::digest(relaxed_body(body))),
            "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
        );
    }

    #[test]
    fn headers_are_relaxed_as_the_standard_says() {
        let fields = fields("A: X\r\nB : Y\t\r\n\tZ  \r\nA: W");
        assert_eq!(
            relaxed_fields(&fields, &["a", "b", "a", "a"]),
            "a:W\r\nb:Y Z\r\na:X\r\n"
        );
    }

    #[test]
    fn the_sample_of_the_standard_gets_its_signature() {
        // RFC 8463, appendix A: the key is the first test vector of RFC 8032.
        let seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
        let mut der = vec![
            0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ];
        der.extend(STANDARD.decode(seed).unwrap());
        let key = JwsKey::from_stored(Algorithm::EdDsa, &der).unwrap();
        let signature = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
        let (head, _) = MESSAGE.split_once("\r\n\r\n").unwrap();
        let names = [
            "from",
            "to",
            "subject",
            "date",
            "message-id",
            "from",
            "subject",
            "date",
        ];
        let mut input = relaxed_fields(&fields(head), &names);
        input.push_str(&Field::parse(signature).relaxed());
        assert_eq!(
            STANDARD.encode(key.sign(&Sha256::digest(&input)).unwrap()),
            "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
        );
    }

    #[test]
    fn the_same_message_has_the_same_header_and_short_lines() {
        for algorithm in [Algorithm::Rs256, Algorithm::EdDsa] {
            let key = JwsKey::generate(algorithm, None).unwrap();
            let dkim = Dkim::new("hooli.example", "s1", algorithm, key).unwrap();
            let header = dkim.header(MESSAGE, 1_750_000_000).unwrap();
            assert_eq!(header, dkim.header(MESSAGE, 1_750_000_000).unwrap());
            assert!(header.contains("d=hooli.example;\r\n s=s1; t=1750000000;\r\n h=from:"));
            assert!(header.lines().all(|line| line.len() <= 120), "{header}");
            let (first, last) = (
                header.lines().next().unwrap(),
                header.lines().last().unwrap(),
            );
            assert!(first.starts_with("DKIM-Signature: v=1; a=") && last.starts_with([' ']));
        }
    }

    #[test]
    fn other_keys_sign_no_mail() {
        for algorithm in [Algorithm::Rs512, Algorithm::Es256, Algorithm::Hs256] {
            assert!(!can_sign_mail(algorithm), "{algorithm}");
        }
    }
}
