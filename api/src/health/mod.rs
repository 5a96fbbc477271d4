//! Whether the server is of any use: `/api/status` and `/api/health`. No key is needed.

mod description;

use actix_web::web::Data;
use beadle_common::db::ask_to_write;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::description::{Routes, Section};
use crate::state::State;

pub(crate) fn routes() -> Section {
    Section::new("Status", "Whether the server is of any use. For anybody.")
        .with(Routes::open("/api/status").get(status, description::STATUS_OF_SERVER))
        .with(Routes::open("/api/health").get(status, description::HEALTH))
}

/// `200` when the database answers and may be written, `503` otherwise.
async fn status(state: Data<State>) -> Answer {
    state
        .read(|connection| Ok(ask_to_write(connection)?))
        .await?;
    Ok(answer::json(&json!({"status": "up"})))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use crate::test_support::{TestApp, both_databases};

    both_databases!(the_status_needs_no_key);

    async fn the_status_needs_no_key(app: &TestApp) {
        for path in ["/api/status", "/api/health"] {
            assert_eq!(app.send(TestRequest::with_uri(path)).await.status, 200);
            assert_eq!(app.send(TestRequest::post().uri(path)).await.status, 405);
        }
    }
}
