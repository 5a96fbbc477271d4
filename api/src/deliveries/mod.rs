//! Where deliveries are, why, and having them made again: `/api/delivery`. For those who
//! run the server; the same for webhooks and emails.

mod replay;
mod resend;
mod retrieve;
mod search;
#[cfg(test)]
mod tests;
mod view;

use actix_web::web::{self, ServiceConfig};

use crate::extract::{Access, Endpoint};

const WRAPPER: &str = "delivery";
const ENDPOINT: Endpoint = Endpoint {
    path: "/api/delivery",
    access: Access::Global,
    id: "deliveryId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/delivery/search",
    access: Access::Global,
    id: "",
};

const REPLAY: Endpoint = Endpoint {
    path: "/api/delivery/replay",
    access: Access::Global,
    id: "",
};

const RESEND: Endpoint = Endpoint {
    path: "/api/delivery/resend",
    ..ENDPOINT
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        SEARCH
            .resource()
            .route(web::get().to(search::search_deliveries))
            .route(web::post().to(search::search_deliveries)),
    );
    config.service(
        REPLAY
            .resource()
            .route(web::post().to(replay::replay_deliveries)),
    );
    config.service(
        RESEND
            .nested("/api/delivery/{deliveryId}/resend")
            .route(web::post().to(resend::resend_delivery)),
    );
    config.service(
        ENDPOINT
            .resource()
            .route(web::get().to(retrieve::retrieve_delivery)),
    );
}
