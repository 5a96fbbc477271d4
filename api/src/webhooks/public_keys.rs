//! `GET /.well-known/webhooks.json`: what receivers verify `v1a` signatures with. No API key
//! is needed.

use std::collections::BTreeMap;

use actix_web::web::Data;
use beadle_common::model::webhook::WebhookSecretRow;
use beadle_common::view::{Absent, Members, View};

use crate::answer::{self, Answer};
use crate::state::State;

/// By webhook, the newest first. Those of shared secrets have none.
pub(super) async fn retrieve_public_keys(state: Data<State>) -> Answer {
    let now = (state.clock)();
    let rows = state
        .read(move |connection| Ok(WebhookSecretRow::live_pairs(connection, now)?))
        .await?;
    let mut webhooks: BTreeMap<String, Vec<View>> = BTreeMap::new();
    for row in &rows {
        let keys = webhooks.entry(row.webhook_id.to_string()).or_default();
        keys.push(view(row));
    }
    Ok(answer::wrapped("webhooks", webhooks))
}

fn view(row: &WebhookSecretRow) -> View {
    Members::new(Absent::Omit)
        .maybe("expirationInstant", row.expiration_instant)
        .with("id", row.id)
        .with("insertInstant", row.insert_instant)
        .maybe("publicKey", row.public_key.as_ref())
        .with("type", row.kind)
        .done()
}
