//! `/metrics`, and what is counted of requests. What workers count is in
//! [`beadle_worker::metrics`].

mod description;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use beadle_worker::metrics::TEXT_FORMAT;

use crate::description::{Routes, Section};
use crate::state::State;

pub(crate) fn routes() -> Section {
    Section::new(
        "Metrics",
        "For Prometheus. No key is asked for: keep it behind your proxy.",
    )
    .with(Routes::open("/metrics").get(show, description::SHOW))
}

async fn show(state: Data<State>) -> HttpResponse {
    match state.metrics.show(&state.db, (state.clock)()).await {
        Ok(text) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, TEXT_FORMAT))
            .body(text),
        Err(error) => {
            tracing::error!("metrics cannot be shown: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
