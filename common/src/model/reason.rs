//! User action reasons.

use diesel::prelude::*;

use super::{crud, unique};
use crate::db::Json;
use crate::id::ReasonId;
use crate::locale::LocalizedText;
use crate::schema::user_action_reasons;
use crate::unix_millis::UnixMillis;

/// Why an action is taken.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = user_action_reasons, treat_none_as_null = true)]
pub struct Reason {
    /// Primary key.
    pub id: ReasonId,
    /// Short, for programs; unique ignoring case.
    pub code: String,
    /// `code`, folded.
    pub code_normalized: String,
    /// For people; unique ignoring case.
    pub text: String,
    /// `text`, folded.
    pub text_normalized: String,
    /// The text by locale.
    pub localized_texts: Option<Json<LocalizedText>>,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

crud!(Reason, user_action_reasons, ReasonId);
unique!(
    Reason,
    user_action_reasons,
    ReasonId,
    /// Whose code this is, ignoring case.
    by_code: code_normalized,
    /// Whose text this is, ignoring case.
    by_text: text_normalized
);
