//! What a client may say of a reason, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::ReasonId;
use beadle_common::instant::Instant;
use beadle_common::model::fold;
use beadle_common::model::reason::Reason;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};

/// A reason as the request describes it. Problems are reported to the object's collector.
pub(super) fn read_reason(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    id: ReasonId,
    now: Instant,
) -> Result<Reason, ApiError> {
    let code = object.required_text("code", LONGEST_NAME);
    let text = object.required_text("text", LONGEST_NAME);
    let localized_texts = object.short_localized("localizedTexts", LONGEST_NAME);
    if localized_texts
        .iter()
        .flatten()
        .any(|(_, text)| text.is_empty())
    {
        object.refuse(Prefix::Blank, "localizedTexts");
    }
    if Reason::by_code(connection, &code)?.is_some_and(|other| other != id) {
        object.refuse(Prefix::Duplicate, "code");
    }
    if Reason::by_text(connection, &text)?.is_some_and(|other| other != id) {
        object.refuse(Prefix::Duplicate, "text");
    }
    Ok(Reason {
        id,
        code_key: fold(&code),
        code,
        text_key: fold(&text),
        text,
        localized_texts: localized_texts.map(Json),
        insert_instant: now,
        last_update_instant: now,
    })
}
