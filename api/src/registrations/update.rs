//! `PUT` and `PATCH /api/user/registration/{userId}[/{applicationId}]`: without an
//! application in the path, the body names it.

use beadle_common::id::{ApplicationId, UserId};
use beadle_common::model::application::Application;
use beadle_common::model::registration::Registration;
use beadle_common::view::{self, Absent};
use serde_json::{Value, json};

use super::input::{check_size, read_registration};
use super::{APPLICATION, WRAPPER, application_in_path, find_for_update};
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::{Body, parse_id, read_wrapped};

pub(super) async fn update_registration(mut call: Call) -> Answer {
    let user: UserId = call.required_id()?;
    let in_path = application_in_path(&call)?;
    let (scope, now) = (call.scope(), call.now());
    let body = call.body().await;
    let application = match (in_path, &body) {
        (Some(application), _) => application,
        (None, Ok(body)) => application_in_body(body)?,
        (None, Err(error)) => return Err(error.clone()),
    };
    let registration = call
        .update(
            body,
            move |connection| find_for_update(connection, user, application, scope),
            |stored| Ok(json!({WRAPPER: view::registration(stored, Absent::Omit)})),
            move |connection, stored, members| {
                let application =
                    Application::find(connection, application)?.ok_or(ApiError::NotFound)?;
                let read = read_wrapped(members, WRAPPER, |object| {
                    let read = read_registration(object, user, &application, now);
                    check_size(connection, object, &read)?;
                    Ok(read)
                })?;
                let registration = Registration {
                    id: stored.id,
                    last_login_instant: stored.last_login_instant,
                    insert_instant: stored.insert_instant,
                    ..read
                };
                registration.update(connection)?;
                Ok(registration)
            },
        )
        .await?;
    let shown = view::registration(&registration, Absent::Omit);
    Ok(answer::wrapped(WRAPPER, shown))
}

fn application_in_body(body: &Body) -> Result<ApplicationId, ApiError> {
    let path = "registration.applicationId";
    let given = body.json.get(WRAPPER).and_then(|it| it.get(APPLICATION));
    match given {
        None | Some(Value::Null) => Err(ApiError::field(Prefix::Missing, path)),
        Some(id) => id
            .as_str()
            .and_then(parse_id)
            .ok_or_else(|| ApiError::field(Prefix::InvalidJson, path)),
    }
}
