//! Where deliveries are, why, and having them made again: `/api/delivery`. For those who
//! run the server; the same for webhooks and emails.

mod description;
mod replay;
mod resend;
mod retrieve;
mod search;
#[cfg(test)]
mod tests;
mod view;

use crate::description::Section;
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

pub(crate) fn routes() -> Section {
    Section::new(
        "Deliveries",
        "Where webhook requests and emails are, why, and having them made again.",
    )
    .with(
        SEARCH
            .routes()
            .get(search::search_deliveries, description::SEARCH_DELIVERIES)
            .post(search::search_deliveries, description::SEARCH_DELIVERIES),
    )
    .with(
        REPLAY
            .routes()
            .post(replay::replay_deliveries, description::REPLAY_DELIVERIES),
    )
    .with(
        RESEND
            .nested("/api/delivery/{deliveryId}/resend")
            .post(resend::resend_delivery, description::RESEND_DELIVERY),
    )
    .with(
        ENDPOINT
            .routes()
            .get(retrieve::retrieve_delivery, description::RETRIEVE),
    )
}
