//! `GET /api/user/registration/{userId}/{applicationId}`

use beadle_common::id::UserId;
use beadle_common::view::{self, Absent};

use super::{WRAPPER, find, required_application};
use crate::answer::{self, Answer};
use crate::extract::Call;

pub(super) async fn retrieve_registration(call: Call) -> Answer {
    let user: UserId = call.required_id()?;
    let application = required_application(&call)?;
    let scope = call.scope();
    let registration = call
        .state()
        .read(move |connection| find(connection, user, application, scope))
        .await?;
    let shown = view::registration(&registration, Absent::Omit);
    Ok(answer::wrapped(WRAPPER, shown))
}
