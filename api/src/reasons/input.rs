//! What a client may say of a reason, and the rules for it.

use beadle_common::db::{AnyConnection, Json};
use beadle_common::id::ReasonId;
use beadle_common::model::normalize;
use beadle_common::model::reason::Reason;
use beadle_common::unix_millis::UnixMillis;

use crate::error::ApiError;
use crate::errors::Prefix;
use crate::input::{LONGEST_NAME, Object};

/// A reason as the request describes it. Problems are reported to the object's collector.
pub(super) fn read_reason(
    connection: &mut AnyConnection,
    object: &Object<'_>,
    id: ReasonId,
    now: UnixMillis,
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
        code_normalized: normalize(&code),
        code,
        text_normalized: normalize(&text),
        text,
        localized_texts: localized_texts.map(Json),
        insert_instant: now,
        last_update_instant: now,
    })
}
