//! `DELETE /api/user/registration/{userId}/{applicationId}`

use beadle_common::id::UserId;
use beadle_common::model::registration::Registration;

use super::{find, required_application};
use crate::answer::{self, Answer};
use crate::extract::Call;

pub(super) async fn delete_registration(call: Call) -> Answer {
    let user: UserId = call.required_id()?;
    let application = required_application(&call)?;
    let scope = call.scope();
    call.state()
        .write(move |connection| {
            let registration = find(connection, user, application, scope)?;
            Registration::delete(connection, registration.id)?;
            Ok(())
        })
        .await?;
    Ok(answer::empty())
}
