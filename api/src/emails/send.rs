//! `POST /api/email/send/{emailTemplateId}`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web;
use beadle_common::id::EmailTemplateId;
use beadle_common::mail::{self, QueuedEmail};

use super::input::read_order;
use super::render::render;
use crate::answer::{Answer, Reply};
use crate::error::ApiError;
use crate::extract::Call;

/// Mails everybody whose mail can be rendered, and says whose cannot. What goes out is
/// rendered now and queued in one transaction; workers send it.
pub(super) async fn send_email(mut call: Call) -> Answer {
    let id: EmailTemplateId = call.required_id()?;
    let body = call.body().await;
    let (state, scope, now) = (call.state(), call.scope(), call.now());
    let order = state
        .read(move |connection| read_order(connection, id, body, scope))
        .await?;
    let setup = state.setup.clone();
    // Rendering takes time, and no connection.
    let rendered = web::block(move || render(&setup, order, now))
        .await
        .map_err(ApiError::internal)??;
    let mails: Arc<[QueuedEmail]> = rendered.mails.into();
    let reply = Reply::of(StatusCode::ACCEPTED, Some(rendered.answer.to_string()));
    let leaves_work = !mails.is_empty();
    let answer = call
        .commit(move |connection| {
            mail::queue(connection, &mails)?;
            Ok(reply.clone())
        })
        .await?;
    if leaves_work {
        state.wake.wake();
    }
    Ok(answer)
}
