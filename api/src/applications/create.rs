//! `POST /api/application[/{applicationId}]`

use beadle_common::id::ApplicationId;
use beadle_common::model::application::Application;
use beadle_common::view::{self, Absent};

use super::{ENDPOINT, WRAPPER, input};
use crate::answer::{Answer, Reply};
use crate::errors::Prefix;
use crate::extract::{Call, tenant_of};
use crate::input::read_wrapped;

pub(super) async fn create_application(mut call: Call) -> Answer {
    let given: Option<ApplicationId> = call.id()?;
    let members = call.body().await?.into_members()?;
    let (id, now, scope) = (
        given.unwrap_or_else(ApplicationId::random),
        call.now(),
        call.scope(),
    );
    call.commit(move |connection| {
        let tenant = tenant_of(connection, scope)?;
        let application = read_wrapped(&members, WRAPPER, |object| {
            if given.is_some() && Application::exists(connection, id)? {
                object.errors().refuse(Prefix::Duplicate, ENDPOINT.id);
            }
            input::read_application(connection, object, id, tenant, now)
        })?;
        application.insert(connection)?;
        Ok(Reply::wrapped(
            WRAPPER,
            view::application(&application, Absent::Omit),
        ))
    })
    .await
}
