//! Webhooks, the registrations of receivers: `/api/webhook`.

mod delete;
mod description;
mod enable;
mod public_keys;
mod retrieve_secrets;
mod rotate_secret;
mod test;

#[cfg(test)]
mod tests;

use beadle_common::resources::webhooks::WebhookResource;

use crate::description::{Routes, Section};
use crate::extract::{Access, Endpoint};
use crate::resource::{create, retrieve, search, update};

const ENDPOINT: Endpoint = Endpoint {
    path: "/api/webhook",
    access: Access::Global,
    id: "webhookId",
};

const SEARCH: Endpoint = Endpoint {
    path: "/api/webhook/search",
    access: Access::Global,
    id: "",
};

const SECRET: Endpoint = Endpoint {
    path: "/api/webhook/secret",
    ..ENDPOINT
};
const ROTATE: Endpoint = Endpoint {
    path: "/api/webhook/secret/rotate",
    ..ENDPOINT
};

const TEST: Endpoint = Endpoint {
    path: "/api/webhook/test",
    ..ENDPOINT
};

const ENABLE: Endpoint = Endpoint {
    path: "/api/webhook/enable",
    ..ENDPOINT
};

pub(crate) fn routes() -> Section {
    Section::new(
        "Webhooks",
        "Addresses that events are sent to, and the secrets they are signed with.",
    )
    .with(
        SEARCH
            .routes()
            .get(search::<WebhookResource>, description::SEARCH_WEBHOOKS)
            .post(search::<WebhookResource>, description::SEARCH_WEBHOOKS),
    )
    .with(SECRET.nested("/api/webhook/{webhookId}/secret").get(
        retrieve_secrets::retrieve_secrets,
        description::RETRIEVE_SECRETS,
    ))
    .with(
        ROTATE
            .nested("/api/webhook/{webhookId}/secret/rotate")
            .post(
                rotate_secret::rotate_webhook_secret,
                description::ROTATE_SECRET,
            ),
    )
    .with(
        ENABLE
            .nested("/api/webhook/{webhookId}/enable")
            .post(enable::enable_webhook, description::ENABLE_WEBHOOK),
    )
    .with(
        TEST.nested("/api/webhook/{webhookId}/test")
            .post(test::test_webhook, description::TEST_WEBHOOK),
    )
    .with(
        Routes::open("/.well-known/webhooks.json")
            .get(public_keys::retrieve_public_keys, description::PUBLIC_KEYS),
    )
    .with(
        ENDPOINT
            .routes()
            .post(create::<WebhookResource>, description::CREATE)
            .get(retrieve::<WebhookResource>, description::RETRIEVE)
            .put(update::<WebhookResource>, description::UPDATE)
            .patch(update::<WebhookResource>, description::PATCH)
            .delete(delete::delete_webhook, description::DELETE),
    )
}
