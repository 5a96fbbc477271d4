//! A mail in the database: the row, and what is owed for it.

use std::collections::HashSet;

use diesel::QueryResult;

use super::Mail;
use crate::db::AnyConnection;
use crate::id::DeliveryId;
use crate::model::email::EmailRow;
use crate::model::fold;
use crate::outbox::{self, NewDelivery, Payload};

impl Mail {
    /// Writes the mail, and one delivery for each address that it goes to. Call it in a
    /// write transaction, and wake the workers after the commit.
    ///
    /// # Errors
    /// Those of the database.
    pub fn queue(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        self.row.insert(connection)?;
        for recipient in recipients(&self.row) {
            let delivery = NewDelivery {
                id: DeliveryId::sequential(),
                lane: self.lane,
                payload: Payload::Email(self.row.id, recipient.to_owned()),
                due_at: self.row.insert_instant,
                insert_instant: self.row.insert_instant,
            };
            outbox::insert(connection, &delivery)?;
        }
        Ok(())
    }
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
        .filter(|address| seen.insert(fold(address)))
        .collect()
}
