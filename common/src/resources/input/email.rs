//! Email addresses within requests.

use email_address::{EmailAddress, Options};

use super::object::{Listed, Object};
use crate::resources::problem::Prefix;

/// Longest address that mail servers pass on.
const LONGEST: usize = 254;

impl Object<'_> {
    /// An email address, trimmed. Hosts without a dot are accepted: they are common in
    /// closed networks.
    #[must_use]
    pub fn email(&self, member: &str) -> Option<String> {
        let text = self.short_text(member, LONGEST)?;
        if !is_email(&text) {
            self.refuse(Prefix::NotEmail, member);
        }
        Some(text)
    }

    /// A list of email addresses, each once; at most `most`.
    #[must_use]
    pub fn emails(&self, member: &str, most: usize) -> Vec<String> {
        let mut unique: Vec<String> = Vec::new();
        for Listed { path, value } in self.texts(member) {
            if value.len() > LONGEST || !is_email(&value) {
                self.errors().refuse(Prefix::NotEmail, &path);
            } else if !unique.contains(&value) {
                unique.push(value);
            }
        }
        if unique.len() > most {
            self.refuse(Prefix::TooMany, member);
        }
        unique
    }
}

fn is_email(text: &str) -> bool {
    let options = Options::default()
        .with_no_minimum_sub_domains()
        .without_display_text()
        .without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_bare() {
        for good in ["a@example.com", "a+b@localhost", "ä@bücher.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "a",
            "@b",
            "a@",
            "A <a@b.example>",
            "a@b.example\nBcc: c@d.example",
            "a@[10.0.0.1]",
            "a b@c.example",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
