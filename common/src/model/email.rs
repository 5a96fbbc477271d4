//! Emails: what was or is to be sent, rendered once.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::db::{AnyConnection, Json};
use crate::id::{ActionLogId, EmailId, EmailTemplateId, EventId, TenantId, UserId};
use crate::locale::Locale;
use crate::schema::emails;
use crate::unix_millis::UnixMillis;

/// An address with the name to show for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// `name@host`
    pub address: String,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub display: Option<String>,
}

/// One email. Rows are never changed.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = emails)]
pub struct EmailRow {
    /// Primary key.
    pub id: EmailId,
    /// The recipient's tenant, whose server sends it.
    pub tenant_id: TenantId,
    /// The log it tells of.
    pub action_log_id: Option<ActionLogId>,
    /// The event of the same phase.
    pub event_id: Option<EventId>,
    /// The user it is for.
    pub user_id: Option<UserId>,
    /// What it was rendered from.
    pub template_id: Option<EmailTemplateId>,
    /// Which version of that.
    pub template_version: i32,
    /// `Message-ID`, with its angle brackets; the same on every attempt.
    pub message_id: String,
    /// Sender.
    pub from_address: String,
    /// Sender's name.
    pub from_display: Option<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// Recipients.
    pub to_addresses: Json<Vec<Mailbox>>,
    /// Copies.
    pub cc_addresses: Json<Vec<Mailbox>>,
    /// Blind copies.
    pub bcc_addresses: Json<Vec<Mailbox>>,
    /// Subject.
    pub subject: String,
    /// HTML part.
    pub html: String,
    /// Text part.
    pub text: String,
    /// Additional headers of the tenant, as name and value.
    pub headers: Json<Vec<(String, String)>>,
    /// Which localized subject was chosen; none: the default.
    pub subject_locale: Option<Locale>,
    /// The same for the sender's name.
    pub from_name_locale: Option<Locale>,
    /// The same for the HTML part.
    pub html_locale: Option<Locale>,
    /// The same for the text part.
    pub text_locale: Option<Locale>,
    /// When it was rendered; the `Date` of the message.
    pub insert_instant: UnixMillis,
    /// What the reader asked for, best first: how the locales above were reached.
    pub preferred_languages: Json<Vec<Locale>>,
}

impl EmailRow {
    /// Adds this email.
    pub fn insert(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        diesel::insert_into(emails::table)
            .values(self)
            .execute(connection)?;
        Ok(())
    }

    /// Adds these emails, on PostgreSQL many with each statement.
    pub fn insert_all(connection: &mut AnyConnection, rows: &[&Self]) -> QueryResult<()> {
        /// A row has 26 values, and a statement may have 65,535.
        const PER_STATEMENT: usize = 500;
        match connection {
            AnyConnection::Pg(connection) => {
                for rows in rows.chunks(PER_STATEMENT) {
                    diesel::insert_into(emails::table)
                        .values(rows.to_vec())
                        .execute(connection)?;
                }
            }
            AnyConnection::Sqlite(_) => {
                for row in rows {
                    row.insert(connection)?;
                }
            }
        }
        Ok(())
    }

    /// These emails.
    pub fn load(connection: &mut AnyConnection, ids: &[EmailId]) -> QueryResult<Vec<Self>> {
        emails::table
            .filter(emails::id.eq_any(ids.to_vec()))
            .select(Self::as_select())
            .load(connection)
    }
}
