//! A mail in the database: the row, and what is owed for it.

use std::collections::HashSet;

use diesel::QueryResult;

use super::QueuedEmail;
use crate::db::AnyConnection;
use crate::model::email::EmailRow;
use crate::model::normalize;
use crate::model::user::User;
use crate::outbox::{self, NewDelivery, Payload};

impl QueuedEmail {
    /// Writes the mail, and one delivery for each address that it goes to; nothing if it is to
    /// a user who was erased meanwhile. Call it in a write transaction, and wake the workers
    /// after the commit.
    pub fn queue(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        queue(connection, std::slice::from_ref(self))
    }

    /// About how many bytes the mail takes in the database.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let row = &self.row;
        let name = row.from_display.as_ref().map_or(0, String::len);
        row.subject.len() + name + row.html.len() + row.text.len()
    }
}

/// As [`QueuedEmail::queue`], for many mails.
pub fn queue(connection: &mut AnyConnection, mails: &[QueuedEmail]) -> QueryResult<()> {
    let users = mails.iter().filter_map(|mail| mail.row.user_id).collect();
    let users = User::hold_among(connection, users)?;
    let is_owed = |mail: &&QueuedEmail| mail.row.user_id.is_none_or(|user| users.contains(&user));
    let mails = || mails.iter().filter(is_owed);
    let rows: Vec<&EmailRow> = mails().map(|mail| &mail.row).collect();
    EmailRow::insert_all(connection, &rows)?;
    let deliveries = mails().flat_map(|mail| {
        recipients(&mail.row).into_iter().map(|recipient| {
            let payload = Payload::Email(mail.row.id, recipient.to_owned());
            NewDelivery::at_once(mail.destination, payload, mail.row.insert_instant)
        })
    });
    outbox::insert_all(connection, &deliveries.collect::<Vec<_>>())
}

/// Every address once, however often it is named.
fn recipients(row: &EmailRow) -> Vec<&str> {
    let named = [
        &row.to_addresses.0,
        &row.cc_addresses.0,
        &row.bcc_addresses.0,
    ];
    let mut seen = HashSet::new();
    let addresses = named
        .into_iter()
        .flatten()
        .map(|mailbox| mailbox.address.as_str());
    addresses
        .filter(|address| seen.insert(normalize(address)))
        .collect()
}
