//! `PUT` and `PATCH /api/application/{applicationId}`, and `PUT` with `reactivate=true`.

use beadle_common::id::ApplicationId;
use beadle_common::model::application::Application;
use beadle_common::view::{self, Absent};
use serde_json::json;

use super::{WRAPPER, find_for_update, input};
use crate::answer::{self, Answer};
use crate::extract::Call;
use crate::input::read_wrapped;

pub(super) async fn update_application(mut call: Call) -> Answer {
    let id: ApplicationId = call.required_id()?;
    if call.asks_to_reactivate()? {
        return reactivate(&call, id).await;
    }
    let body = call.body().await;
    let (now, scope) = (call.now(), call.scope());
    let application = call
        .update(
            body,
            move |connection| find_for_update(connection, id, scope),
            |stored| Ok(json!({WRAPPER: view::application(stored, Absent::Omit)})),
            move |connection, stored, members| {
                let read = read_wrapped(members, WRAPPER, |object| {
                    input::read_application(connection, object, id, stored.tenant_id, now)
                })?;
                let application = Application {
                    active: stored.active,
                    insert_instant: stored.insert_instant,
                    ..read
                };
                application.update(connection)?;
                Ok(application)
            },
        )
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::application(&application, Absent::Omit),
    ))
}

async fn reactivate(call: &Call, id: ApplicationId) -> Answer {
    let (now, scope) = (call.now(), call.scope());
    let application = call
        .state()
        .write(move |connection| {
            let mut application = find_for_update(connection, id, scope)?;
            if !application.active {
                application.active = true;
                application.last_update_instant = now;
                application.update(connection)?;
            }
            Ok(application)
        })
        .await?;
    Ok(answer::wrapped(
        WRAPPER,
        view::application(&application, Absent::Omit),
    ))
}
