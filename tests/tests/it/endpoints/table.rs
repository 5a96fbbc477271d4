//! The list.

use super::{Endpoint, Key, samples};

const fn needs_key(
    method: &'static str,
    path: &'static str,
    answers: &'static str,
    sample: &'static str,
) -> Endpoint {
    Endpoint {
        method,
        path,
        key: Key::Needed,
        answers,
        sample,
    }
}

const fn manages(
    method: &'static str,
    path: &'static str,
    answers: &'static str,
    sample: &'static str,
) -> Endpoint {
    Endpoint {
        key: Key::Manager,
        ..needs_key(method, path, answers, sample)
    }
}

const fn open(method: &'static str, path: &'static str, answers: &'static str) -> Endpoint {
    Endpoint {
        key: Key::None,
        ..needs_key(method, path, answers, samples::NONE)
    }
}

const LOGIN: Endpoint = Endpoint {
    key: Key::Usually,
    ..needs_key(
        "POST",
        "/api/login",
        "200 or 202 `{user}`, 404, 409 `{actions}`, 410, 423",
        samples::LOGIN,
    )
};

/// Every endpoint. Objects that others refer to are created first.
#[rustfmt::skip]
pub const ENDPOINTS: &[Endpoint] = &[
    needs_key("GET", "/api/tenant[/{tenantId}]", "200 `{tenants}` or `{tenant}`, 404", samples::NONE),
    needs_key("POST", "/api/tenant[/{tenantId}]", "200 `{tenant}`", samples::TENANT),
    needs_key("PUT", "/api/tenant/{tenantId}", "200 `{tenant}`, 404", samples::TENANT),
    needs_key("PATCH", "/api/tenant/{tenantId}", "200 `{tenant}`, 404", samples::TENANT),
    needs_key("DELETE", "/api/tenant/{tenantId}", "200, 202 with `async=true`, 404", samples::NONE),
    needs_key("GET", "/api/tenant/search", "200 `{tenants, total}`", samples::NONE),
    needs_key("POST", "/api/tenant/search", "200 `{tenants, total}`", samples::TENANT_SEARCH),

    needs_key("GET", "/api/email/template[/{emailTemplateId}]", "200 `{emailTemplates}` or `{emailTemplate}`, 404", samples::NONE),
    needs_key("POST", "/api/email/template[/{emailTemplateId}]", "200 `{emailTemplate}`", samples::EMAIL_TEMPLATE),
    needs_key("PUT", "/api/email/template/{emailTemplateId}", "200 `{emailTemplate}`, 404", samples::EMAIL_TEMPLATE),
    needs_key("PATCH", "/api/email/template/{emailTemplateId}", "200 `{emailTemplate}`, 404", samples::EMAIL_TEMPLATE),
    needs_key("DELETE", "/api/email/template/{emailTemplateId}", "200, 404", samples::NONE),
    needs_key("GET", "/api/email/template/search", "200 `{emailTemplates, total}`", samples::NONE),
    needs_key("POST", "/api/email/template/search", "200 `{emailTemplates, total}`", samples::TEMPLATE_SEARCH),
    needs_key("POST", "/api/email/template/preview", "200 `{email, errors}`", samples::TEMPLATE_PREVIEW),
    needs_key("GET", "/api/email/suppression[/{address}]", "200 `{suppressions, total}` or `{suppression}`, 404", samples::NONE),
    needs_key("DELETE", "/api/email/suppression/{address}", "200, 404", samples::NONE),
    needs_key("POST", "/api/email/send/{emailTemplateId}", "202 `{}` or `{anonymousResults, results}`, 404", samples::EMAIL_SEND),

    needs_key("GET", "/api/user-action[/{userActionId}]", "200 `{userActions}` or `{userAction}`, 404", samples::NONE),
    needs_key("POST", "/api/user-action[/{userActionId}]", "200 `{userAction}`", samples::USER_ACTION),
    needs_key("PUT", "/api/user-action/{userActionId}", "200 `{userAction}`, 404", samples::USER_ACTION),
    needs_key("PATCH", "/api/user-action/{userActionId}", "200 `{userAction}`, 404", samples::USER_ACTION),
    needs_key("DELETE", "/api/user-action/{userActionId}", "200, 404", samples::NONE),

    needs_key("GET", "/api/user-action-reason[/{userActionReasonId}]", "200 `{userActionReasons}` or `{userActionReason}`, 404", samples::NONE),
    needs_key("POST", "/api/user-action-reason[/{userActionReasonId}]", "200 `{userActionReason}`", samples::REASON),
    needs_key("PUT", "/api/user-action-reason/{userActionReasonId}", "200 `{userActionReason}`, 404", samples::REASON),
    needs_key("PATCH", "/api/user-action-reason/{userActionReasonId}", "200 `{userActionReason}`, 404", samples::REASON),
    needs_key("DELETE", "/api/user-action-reason/{userActionReasonId}", "200, 404", samples::NONE),

    needs_key("GET", "/api/application[/{applicationId}]", "200 `{applications}` or `{application}`, 404", samples::NONE),
    needs_key("POST", "/api/application[/{applicationId}]", "200 `{application}`", samples::APPLICATION),
    needs_key("PUT", "/api/application/{applicationId}", "200 `{application}`, 404", samples::APPLICATION),
    needs_key("PATCH", "/api/application/{applicationId}", "200 `{application}`, 404", samples::APPLICATION),
    needs_key("DELETE", "/api/application/{applicationId}", "200, 404", samples::NONE),

    needs_key("GET", "/api/user[/{userId}]", "200 `{user}`, 404", samples::NONE),
    needs_key("POST", "/api/user[/{userId}]", "200 `{user}`", samples::USER),
    needs_key("PUT", "/api/user/{userId}", "200 `{user}`, 404", samples::USER),
    needs_key("PATCH", "/api/user/{userId}", "200 `{user}`, 404", samples::USER),
    needs_key("DELETE", "/api/user/{userId}", "200, 404", samples::NONE),
    needs_key("GET", "/api/user/search", "200 `{users, total}`", samples::NONE),
    needs_key("POST", "/api/user/search", "200 `{users, total}`", samples::USER_SEARCH),
    needs_key("POST", "/api/user/registration[/{userId}]", "200 `{user, registration}`", samples::REGISTRATION),
    needs_key("PUT", "/api/user/registration/{userId}", "200 `{registration}`, 404", samples::REGISTRATION),
    needs_key("PATCH", "/api/user/registration/{userId}", "200 `{registration}`, 404", samples::REGISTRATION),
    needs_key("GET", "/api/user/registration/{userId}/{applicationId}", "200 `{registration}`, 404", samples::NONE),
    needs_key("PUT", "/api/user/registration/{userId}/{applicationId}", "200 `{registration}`, 404", samples::REGISTRATION),
    needs_key("PATCH", "/api/user/registration/{userId}/{applicationId}", "200 `{registration}`, 404", samples::REGISTRATION),
    needs_key("DELETE", "/api/user/registration/{userId}/{applicationId}", "200, 404", samples::NONE),

    LOGIN,

    needs_key("GET", "/api/user/action[/{actionId}]", "200 `{actions}` or `{action}`, 404", samples::NONE),
    needs_key("POST", "/api/user/action", "200 `{action}`, 504", samples::ACTION),
    needs_key("PUT", "/api/user/action/{actionId}", "200 `{action}`, 404, 504", samples::ACTION),
    needs_key("DELETE", "/api/user/action/{actionId}", "200 `{action}`, 404, 504", samples::ACTION),
    needs_key("GET", "/api/user/action/search", "200 `{actions, total}`", samples::NONE),
    needs_key("POST", "/api/user/action/search", "200 `{actions, total}`", samples::ACTION_SEARCH),

    needs_key("GET", "/api/webhook[/{webhookId}]", "200 `{webhooks}` or `{webhook}`, 404", samples::NONE),
    needs_key("POST", "/api/webhook[/{webhookId}]", "200 `{webhook}`", samples::WEBHOOK),
    needs_key("PUT", "/api/webhook/{webhookId}", "200 `{webhook}`, 404", samples::WEBHOOK),
    needs_key("PATCH", "/api/webhook/{webhookId}", "200 `{webhook}`, 404", samples::WEBHOOK),
    needs_key("DELETE", "/api/webhook/{webhookId}", "200, 404", samples::NONE),
    needs_key("GET", "/api/webhook/search", "200 `{webhooks, total}`", samples::NONE),
    needs_key("POST", "/api/webhook/search", "200 `{webhooks, total}`", samples::WEBHOOK_SEARCH),
    needs_key("GET", "/api/webhook/{webhookId}/secret", "200 `{secrets}`, 404", samples::NONE),
    needs_key("POST", "/api/webhook/{webhookId}/secret/rotate", "200 `{secrets}`, 404", samples::ROTATION),

    manages("GET", "/api/api-key/{keyId}", "200 `{apiKey}`, 404", samples::NONE),
    manages("POST", "/api/api-key[/{keyId}]", "200 `{apiKey}`", samples::API_KEY),
    manages("PUT", "/api/api-key/{keyId}", "200 `{apiKey}`, 404", samples::API_KEY),
    manages("PATCH", "/api/api-key/{keyId}", "200 `{apiKey}`, 404", samples::API_KEY),
    manages("DELETE", "/api/api-key/{keyId}", "200, 404", samples::NONE),
    manages("GET", "/api/api-key/search", "200 `{apiKeys, total}`", samples::NONE),
    manages("POST", "/api/api-key/search", "200 `{apiKeys, total}`", samples::API_KEY_SEARCH),

    needs_key("GET", "/api/key[/{keyId}]", "200 `{keys}` or `{key}`, 404", samples::NONE),
    needs_key("POST", "/api/key/generate[/{keyId}]", "200 `{key}`", samples::KEY_GENERATION),
    needs_key("POST", "/api/key/import[/{keyId}]", "200 `{key}`", samples::KEY_IMPORT),
    needs_key("PUT", "/api/key/{keyId}", "200 `{key}`, 404", samples::KEY),
    needs_key("DELETE", "/api/key/{keyId}", "200, 404", samples::NONE),
    open("GET", "/.well-known/jwks.json", "200 `{keys}`"),
    open("GET", "/.well-known/webhooks.json", "200 `{webhooks}`"),

    needs_key("GET", "/api/system/audit-log/{auditLogId}", "200 `{auditLog}`, 404", samples::NONE),
    needs_key("POST", "/api/system/audit-log", "200 `{auditLog}`", samples::AUDIT_LOG),
    needs_key("GET", "/api/system/audit-log/search", "200 `{auditLogs, total}`", samples::NONE),
    needs_key("POST", "/api/system/audit-log/search", "200 `{auditLogs, total}`", samples::AUDIT_LOG_SEARCH),
    needs_key("GET", "/api/system/event-log/{eventLogId}", "200 `{eventLog}`, 404", samples::NONE),
    needs_key("GET", "/api/system/event-log/search", "200 `{eventLogs, total}`", samples::NONE),
    needs_key("POST", "/api/system/event-log/search", "200 `{eventLogs, total}`", samples::EVENT_LOG_SEARCH),
    needs_key("GET", "/api/system/webhook-event-log/{webhookEventLogId}", "200 `{webhookEventLog}`, 404", samples::NONE),
    needs_key("GET", "/api/system/webhook-event-log/search", "200 `{webhookEventLogs, total}`", samples::NONE),
    needs_key("POST", "/api/system/webhook-event-log/search", "200 `{webhookEventLogs, total}`", samples::WEBHOOK_LOG_SEARCH),
    needs_key("GET", "/api/system/webhook-attempt-log/{webhookAttemptLogId}", "200 `{webhookAttemptLog}`, 404", samples::NONE),

    needs_key("POST", "/api/webhook/{webhookId}/test", "200 `{delivery}`, 404", samples::WEBHOOK_TEST),
    needs_key("POST", "/api/webhook/{webhookId}/enable", "200 `{webhook}`, 404", samples::NONE),
    needs_key("GET", "/api/delivery/{deliveryId}", "200 `{delivery}`, 404", samples::NONE),
    needs_key("POST", "/api/delivery/{deliveryId}/resend", "200 `{delivery}`, 404, 409 while a worker has it", samples::NONE),
    needs_key("GET", "/api/delivery/search", "200 `{deliveries, total}`", samples::NONE),
    needs_key("POST", "/api/delivery/search", "200 `{deliveries, total}`", samples::DELIVERY_SEARCH),
    needs_key("POST", "/api/delivery/replay", "200 `{total}`", samples::REPLAY),

    open("GET", "/api/status", "200, 503"),
    open("GET", "/api/health", "200, 503"),
    open("GET", "/metrics", "200"),

    open("GET", "/openapi.json", "200"),
    open("GET", "/docs", "200"),
    open("GET", "/schemas/user.action.json", "200"),
];
