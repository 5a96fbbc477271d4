//! Addresses in the form that goes on the wire: a domain in another script is
//! written in ASCII, so that it needs no extension of the server.

use lettre::Address;
use url::Host;

/// The text is no address that mail can be sent to. Does not repeat it:
/// addresses stay out of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an email address, expected `name@domain`")]
pub struct AddressError;

/// Reads an address.
///
/// # Errors
/// If it has no valid local part or domain.
pub fn parse_address(text: &str) -> Result<Address, AddressError> {
    let (local, domain) = text.trim().rsplit_once('@').ok_or(AddressError)?;
    if domain.is_ascii() {
        return Address::new(local, domain).map_err(|_| AddressError);
    }
    match Host::parse(domain) {
        Ok(Host::Domain(ascii)) => Address::new(local, ascii).map_err(|_| AddressError),
        _ => Err(AddressError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, wire) in [
            ("reader@example.com", "reader@example.com"),
            (" reader@example.com ", "reader@example.com"),
            ("reader@bücher.example", "reader@xn--bcher-kva.example"),
            ("rené@example.com", "rené@example.com"),
            ("a+b@[192.0.2.1]", "a+b@[192.0.2.1]"),
        ] {
            assert_eq!(parse_address(text).unwrap().to_string(), wire);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "reader",
            "@example.com",
            "reader@",
            "reader@exam ple.com",
            "a@b.example\r\nRCPT TO:<c@d.example>",
            "a\r\n@b.example",
            "<a@b.example>",
            "A <a@b.example>",
            "a@b.example>",
        ] {
            assert_eq!(parse_address(text), Err(AddressError), "{text:?}");
        }
    }
}
