//! Which changes of which nouns meet each other.

use serde_json::{Value, json};

use super::{Change, delete, patch, put};

pub(super) const USER: &str = "/api/user/9af67e9a-8332-4c06-971c-463b6710c340";
pub(super) const APPLICATION: &str = "/api/application/3c219e58-ed0e-4b18-ad48-f4f92793ae32";
pub(super) const REGISTER: &str = "/api/user/registration/9af67e9a-8332-4c06-971c-463b6710c340";
pub(super) const REGISTRATION: &str = "/api/user/registration/9af67e9a-8332-4c06-971c-463b6710c340/3c219e58-ed0e-4b18-ad48-f4f92793ae32";
pub(super) const API_KEY: &str = "/api/api-key/7d4c3a44-0b1c-4a5e-9a58-2e0f0d6f3b77";
pub(super) const WEBHOOK: &str = "/api/webhook/2f1c1f0e-7d3c-4c86-b8a4-3d1f6a7a2c55";
pub(super) const TEMPLATE: &str = "/api/email/template/0c7a1a3e-65e7-4f6b-8a2a-5a7b3d0f9e21";
pub(super) const DEFINITION: &str = "/api/user-action/5d1bbd2a-6e0f-4d26-9d6c-8d8b1d8f6a10";
pub(super) const REASON: &str = "/api/user-action-reason/6a3f8e2c-1b47-4a55-9f0e-2d7c0b9e4f31";

/// Two changes of one object, and what must be so afterwards.
pub(super) struct Pair {
    pub(super) table: &'static str,
    pub(super) changes: [Change; 2],
    /// Where it can be seen, and what.
    pub(super) shown: &'static str,
    pub(super) expected: [(&'static str, Value); 2],
}

fn pair(
    table: &'static str,
    shown: &'static str,
    changes: [Change; 2],
    expected: [(&'static str, Value); 2],
) -> Pair {
    Pair {
        table,
        changes,
        shown,
        expected,
    }
}

pub(super) fn pairs_of_what_belongs_to_a_tenant(tenant: &'static str) -> Vec<Pair> {
    let first = |body: Value| patch(USER, json!({ "user": body }));
    vec![
        pair(
            "users",
            USER,
            [delete(USER), first(json!({"firstName": "Rita"}))],
            [
                ("/user/active", false.into()),
                ("/user/firstName", "Rita".into()),
            ],
        ),
        pair(
            "users",
            USER,
            [
                first(json!({"lastName": "Rossi"})),
                put(&format!("{USER}?reactivate=true"), json!({})),
            ],
            [
                ("/user/active", true.into()),
                ("/user/lastName", "Rossi".into()),
            ],
        ),
        pair(
            "applications",
            APPLICATION,
            [
                patch(APPLICATION, json!({"application": {"name": "Board"}})),
                delete(APPLICATION),
            ],
            [
                ("/application/active", false.into()),
                ("/application/name", "Board".into()),
            ],
        ),
        pair(
            "registrations",
            REGISTRATION,
            [
                patch(REGISTRATION, json!({"registration": {"data": {"a": 1}}})),
                patch(REGISTRATION, json!({"registration": {"username": "Rita"}})),
            ],
            [
                ("/registration/data/a", 1.into()),
                ("/registration/username", "Rita".into()),
            ],
        ),
        pair(
            "tenants",
            tenant,
            [
                patch(tenant, json!({"tenant": {"data": {"a": 1}}})),
                patch(tenant, json!({"tenant": {"name": "Hooli"}})),
            ],
            [
                ("/tenant/data/a", 1.into()),
                ("/tenant/name", "Hooli".into()),
            ],
        ),
    ]
}

pub(super) fn pairs_of_what_all_share() -> Vec<Pair> {
    let narrowed = json!({"apiKey": {"permissions": {"endpoints": {"/api/tenant": null}}}});
    vec![
        pair(
            "api_keys",
            API_KEY,
            [
                patch(API_KEY, narrowed),
                patch(API_KEY, json!({"apiKey": {"name": "Help"}})),
            ],
            [
                (
                    "/apiKey/permissions/endpoints",
                    json!({"/api/user": ["GET"]}),
                ),
                ("/apiKey/name", "Help".into()),
            ],
        ),
        pair(
            "webhooks",
            WEBHOOK,
            [
                patch(
                    WEBHOOK,
                    json!({"webhook": {"url": "https://other.example/"}}),
                ),
                patch(WEBHOOK, json!({"webhook": {"description": "The other"}})),
            ],
            [
                ("/webhook/url", "https://other.example/".into()),
                ("/webhook/description", "The other".into()),
            ],
        ),
        pair(
            "email_templates",
            TEMPLATE,
            [
                patch(TEMPLATE, json!({"emailTemplate": {"name": "Hello"}})),
                patch(
                    TEMPLATE,
                    json!({"emailTemplate": {"defaultSubject": "Hello"}}),
                ),
            ],
            [
                ("/emailTemplate/name", "Hello".into()),
                ("/emailTemplate/defaultSubject", "Hello".into()),
            ],
        ),
        pair(
            "user_actions",
            DEFINITION,
            [
                delete(DEFINITION),
                patch(DEFINITION, json!({"userAction": {"name": "Suspension"}})),
            ],
            [
                ("/userAction/active", false.into()),
                ("/userAction/name", "Suspension".into()),
            ],
        ),
        pair(
            "user_action_reasons",
            REASON,
            [
                patch(REASON, json!({"userActionReason": {"code": "ADS"}})),
                patch(REASON, json!({"userActionReason": {"text": "Advertising"}})),
            ],
            [
                ("/userActionReason/code", "ADS".into()),
                ("/userActionReason/text", "Advertising".into()),
            ],
        ),
    ]
}
