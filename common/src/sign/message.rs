//! The id of a signed message.

use std::fmt;

use uuid::Uuid;

/// The `webhook-id` of a message: 1 to 64 letters, digits, `_` or `-`.
///
/// A full stop separates id, time and body in what is signed, so an id with one
/// would let two different messages share a signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(String);

/// Why a text is no [`MessageId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no message id, give 1 to 64 ASCII letters, digits, `_` or `-`")]
pub struct MessageIdError(String);

impl MessageId {
    const LONGEST: usize = 64;

    /// Checks an id that came from elsewhere.
    ///
    /// # Errors
    /// An empty or overlong text, or one with other characters.
    pub fn parse(text: &str) -> Result<Self, MessageIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !(1..=Self::LONGEST).contains(&text.len()) || !text.bytes().all(allowed) {
            return Err(MessageIdError(text.chars().take(Self::LONGEST).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text of the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for MessageId {
    fn from(id: Uuid) -> Self {
        Self(id.hyphenated().to_string())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_no_separator() {
        for text in ["", "a.b", "a b", "ä", "a\n", &"a".repeat(65)] {
            assert!(MessageId::parse(text).is_err(), "{text}");
        }
        for text in ["a", "msg_01-JX", &"a".repeat(64)] {
            assert_eq!(MessageId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn every_uuid_is_an_id() {
        for uuid in [Uuid::nil(), Uuid::max()] {
            let id = MessageId::from(uuid);
            assert_eq!(MessageId::parse(id.as_str()), Ok(id));
        }
    }
}
