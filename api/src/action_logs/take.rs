//! `POST /api/user/action`: applies a definition to a user.

use actix_web::web::Data;
use beadle_common::id::ApplicationId;
use beadle_common::lifecycle::{BatchItem, TakeRequest, prepare_take};

use super::batcher::{ActionBatcher, BatchRequest};
use super::change::{carry_out, show};
use super::request::{Request, action, judge, read_common};
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::errors::Collector;
use crate::extract::{Call, Credentials, UnauthenticatedCall};
use crate::input::{LONGEST_NAME, Object};
use crate::state::State;

pub(super) async fn take_action(
    mut unauthenticated: UnauthenticatedCall,
    batcher: Data<ActionBatcher>,
) -> Answer {
    // An answer that is kept has to be written with its effect.
    let joins = unauthenticated.reservation().is_none();
    if joins && unauthenticated.has_body().await {
        let request = Request::read_unauthenticated(&mut unauthenticated).await;
        let credentials = Some(unauthenticated.credentials().clone());
        let state = unauthenticated.state();
        if let Some(reply) = submit(state, &batcher, &request, credentials).await? {
            return Ok(reply.into());
        }
        let call = unauthenticated.authenticate().await?;
        let request = request.within(call.scope());
        return take_alone(call, request).await;
    }
    let mut call = unauthenticated.authenticate().await?;
    let request = Request::read(&mut call).await;
    if joins && let Some(reply) = submit(&call.state(), &batcher, &request, None).await? {
        return Ok(reply.into());
    }
    take_alone(call, request).await
}

/// Takes the action with others. Without credentials the key has been looked up already.
/// None: nothing has happened, and the action goes alone. It does at once if something is wrong
/// with it at first sight.
async fn submit(
    state: &State,
    batcher: &ActionBatcher,
    request: &Request,
    credentials: Option<Credentials>,
) -> Result<Option<Reply>, ApiError> {
    let Ok((item, errors, _)) = read(state, request) else {
        return Ok(None);
    };
    if errors.finish().is_err() {
        return Ok(None);
    }
    let change = batcher.submit(BatchRequest { credentials, item }).await?;
    Ok(change.map(|change| show(&change)))
}

async fn take_alone(call: Call, request: Request) -> Answer {
    carry_out(&call, move |connection, state| {
        let (item, errors, applications) = read(state, &request)?;
        let prepared = prepare_take(connection, &state.setup, &item.call, &item.request);
        judge(prepared, errors, &applications)
    })
    .await
}

/// What is asked for, what could not be read of it, and where the applications stand in it.
fn read(state: &State, request: &Request) -> Result<(BatchItem, Collector, Vec<String>), ApiError> {
    let errors = Collector::new();
    let body = Object::root(request.members()?, &errors);
    let action = action(&body)?;
    let applications = action.ids::<ApplicationId>("applicationIds");
    let take = TakeRequest {
        common: read_common(&action),
        actionee_user_id: action.id("actioneeUserId"),
        user_action_id: action.id("userActionId"),
        application_ids: applications.iter().map(|listed| listed.value).collect(),
        expiry: action.instant("expiry"),
        option: action.short_text("option", LONGEST_NAME),
        reason_id: action.id("reasonId"),
    };
    let item = BatchItem {
        call: request.call(&body, state),
        request: take,
    };
    let paths = applications.into_iter().map(|listed| listed.path).collect();
    Ok((item, errors, paths))
}
