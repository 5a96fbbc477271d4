//! Who mails come from.

use clap::Args;

use crate::model::email::Mailbox;

/// Options about mail that decide what is written, as opposed to how it is sent.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mail")]
pub struct MailSettings {
    /// Sender of mails whose template and tenant name none
    #[arg(
        long,
        alias = "beadle-mail-from",
        env = "BEADLE_MAIL_FROM",
        value_name = "BEADLE_MAIL_FROM",
        default_value = "Beadle <no-reply@localhost>",
        value_parser = parse_mailbox
    )]
    pub mail_from: Mailbox,
}

/// Reads `Name <address>` or a bare address.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_mailbox(text: &str) -> Result<Mailbox, String> {
    let expected =
        || format!("`{text}` is not a sender; expected `Name <name@host>` or `name@host`");
    if text.contains(['\r', '\n']) {
        return Err(expected());
    }
    let (display, address) = match text.trim().strip_suffix('>') {
        None => ("", text.trim()),
        Some(inner) => inner.rsplit_once('<').ok_or_else(expected)?,
    };
    let options = email_address::Options::default()
        .with_no_minimum_sub_domains()
        .without_display_text();
    let valid = email_address::EmailAddress::parse_with_options(address, options).is_ok();
    if !valid {
        return Err(expected());
    }
    let display = display.trim().trim_matches('"').trim();
    Ok(Mailbox {
        address: address.to_owned(),
        display: (!display.is_empty()).then(|| display.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_has_an_address_and_maybe_a_name() {
        let both = parse_mailbox("Beadle <no-reply@localhost>").unwrap();
        assert_eq!(both.address, "no-reply@localhost");
        assert_eq!(both.display.as_deref(), Some("Beadle"));
        let bare = parse_mailbox("a@b.example").unwrap();
        assert_eq!((bare.address.as_str(), bare.display), ("a@b.example", None));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "Beadle",
            "Beadle <>",
            "a@b@c <x>",
            "A <a@b.example>\r\nBcc: x@y.example",
        ] {
            assert!(parse_mailbox(text).is_err(), "{text}");
        }
    }
}
