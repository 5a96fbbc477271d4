//! A reason as the API returns it.

use beadle_common::model::reason::Reason;
use beadle_common::view::{Absent, Members, View};

pub(super) fn reason(reason: &Reason) -> View {
    Members::new(Absent::Omit)
        .with("code", &reason.code)
        .with("id", reason.id)
        .with("insertInstant", reason.insert_instant)
        .with("lastUpdateInstant", reason.last_update_instant)
        .maybe(
            "localizedTexts",
            reason.localized_texts.as_ref().map(|json| &json.0),
        )
        .with("text", &reason.text)
        .done()
}
