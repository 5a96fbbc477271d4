//! A message, ready to be handed to one recipient.

use std::fmt;

/// One message for one recipient.
#[derive(Clone, Copy)]
pub struct PreparedMail<'a> {
    /// The message's id; names the file when mail goes to a directory.
    pub message_id: &'a str,
    /// Where bounces go.
    pub envelope_from: &'a str,
    /// Whom to hand it to, whoever is shown in the message.
    pub recipient: &'a str,
    /// The message.
    pub message: &'a [u8],
}

impl fmt::Debug for PreparedMail<'_> {
    /// Only the id: addresses and messages stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedMail")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}
