//! The two kinds of deliveries.

/// What is delivered. Each kind has its own slots, so that neither waits for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An event to a webhook.
    Webhook,
    /// An email to one recipient.
    Email,
}

impl Kind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Email];
}
