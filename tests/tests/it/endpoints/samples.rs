//! A body that is accepted, for each endpoint that reads one.
//!
//! `$unique` becomes a word that was never used before, every other `$name` an Id of the
//! stock.

pub const NONE: &str = "";

pub const USER_ACTION: &str = r#"{"userAction": {
    "name": "Ban $unique", "localizedNames": {"de": "Sperre", "fr_CA": "Bannir"},
    "temporal": true, "preventLogin": true, "sendEndEvent": true,
    "includeEmailInEventJSON": true, "userEmailingEnabled": true,
    "userNotificationsEnabled": true,
    "startEmailTemplateId": "$emailTemplateId", "modifyEmailTemplateId": "$emailTemplateId",
    "cancelEmailTemplateId": "$emailTemplateId", "endEmailTemplateId": "$emailTemplateId",
    "options": [{"name": "Nicely", "localizedNames": {"de": "Nett"}}, {"name": "Meanly"}],
    "tenantIds": ["$tenantId"], "transactionType": "None"
}}"#;

pub const REASON: &str = r#"{"userActionReason": {
    "code": "R $unique", "text": "Reason $unique", "localizedTexts": {"de": "Grund"}
}}"#;

pub const ACTION: &str = r#"{
    "broadcast": true,
    "action": {
        "actioneeUserId": "$userId", "actionerUserId": "$actionerUserId",
        "userActionId": "$userActionId", "reasonId": "$userActionReasonId",
        "applicationIds": ["$applicationId"], "comment": "Enough", "option": "Nicely",
        "emailUser": false, "notifyUser": true, "expiry": 4000000000000
    },
    "eventInfo": {
        "ipAddress": "192.0.2.1", "deviceName": "phone", "os": "none",
        "data": {"a": 1}, "location": {"city": "Bern", "latitude": 46.9}
    }
}"#;

pub const EMAIL_TEMPLATE: &str = r#"{"emailTemplate": {
    "name": "Mail $unique", "fromEmail": "news@piedpiper.example",
    "defaultFromName": "Pied Piper", "defaultSubject": "{{event.localizedAction}}",
    "defaultHtmlTemplate": "<p>{{user.firstName}}</p>",
    "defaultTextTemplate": "{{user.firstName}}",
    "localizedFromNames": {"de": "Pied Piper"}, "localizedSubjects": {"de": "Betreff"},
    "localizedHtmlTemplates": {"de": "<p>Hallo</p>"}, "localizedTextTemplates": {"de": "Hallo"}
}}"#;

pub const TEMPLATE_PREVIEW: &str = r#"{
    "emailTemplate": {
        "name": "Draft", "defaultFromName": "Pied Piper", "fromEmail": "news@piedpiper.example",
        "defaultSubject": "Hello", "defaultHtmlTemplate": "<p>{{upper \"hello\"}}</p>",
        "defaultTextTemplate": "{{nobody.knows}}", "localizedSubjects": {"de": "Guten Tag"}
    },
    "locale": "de_AT"
}"#;

pub const EMAIL_SEND: &str = r#"{
    "userIds": [], "toAddresses": [{"address": "reader@piedpiper.example", "display": "Reader"}],
    "ccAddresses": ["copy@piedpiper.example"], "bccAddresses": [],
    "preferredLanguages": ["de"], "requestData": {"link": "https://piedpiper.example/"}
}"#;

pub const WEBHOOK: &str = r#"{"webhook": {
    "url": "https://hooks.example/$unique", "description": "A hook", "connectTimeout": 1000,
    "readTimeout": 2000, "global": false, "tenantIds": ["$tenantId"],
    "eventsEnabled": {"user.action": false}, "headers": {"X-Colour": "red"},
    "httpAuthenticationUsername": "me", "httpAuthenticationPassword": "secret",
    "signatureConfiguration": {"enabled": false}, "data": {"owner": {"name": "me"}},
    "rateLimit": 5, "orderedBy": "user", "contactEmail": "ops@piedpiper.example"
}}"#;

pub const WEBHOOK_SEARCH: &str = r#"{"search": {
    "description": "hook", "url": "*example*", "tenantId": "$tenantId",
    "numberOfResults": 5, "startRow": 0, "orderBy": "url ASC, insertInstant"
}}"#;

pub const ROTATION: &str = r#"{"gracePeriodSeconds": 60, "type": "v1"}"#;

pub const WEBHOOK_TEST: &str = r#"{"message": "Hello"}"#;

pub const DELIVERY_SEARCH: &str = r#"{"search": {
    "webhookId": "$webhookId", "actionId": "$actionId", "userId": "$userId",
    "kind": "Webhook", "state": "Delivered", "start": 0, "end": 4000000000000,
    "numberOfResults": 5, "startRow": 0, "orderBy": "insertInstant ASC"
}}"#;

pub const REPLAY: &str = r#"{"replay": {
    "webhookId": "$webhookId", "kind": "Webhook", "states": ["Exhausted", "Canceled"],
    "start": 0, "end": 4000000000000, "dryRun": true
}}"#;

pub const TEMPLATE_SEARCH: &str = r#"{"search": {
    "name": "mail*", "numberOfResults": 5, "startRow": 0, "orderBy": "name DESC"
}}"#;

pub const USER: &str = r#"{
    "user": {
        "email": "user.$unique@piedpiper.example", "username": "user.$unique",
        "password": "a long enough password", "firstName": "Erlich", "middleName": "B",
        "lastName": "Bachman", "fullName": "Erlich Bachman",
        "imageUrl": "https://piedpiper.example/erlich.png", "mobilePhone": "555-0100",
        "parentEmail": "parent@piedpiper.example", "birthDate": "1980-02-29",
        "timezone": "Europe/Berlin", "expiry": 4000000000000,
        "preferredLanguages": ["de_CH", "fr"], "data": {"deep": {"list": [1, {"x": null}]}}
    },
    "sendSetPasswordEmail": false, "skipVerification": true
}"#;

pub const LOGIN: &str = r#"{
    "loginId": "nobody.$unique@piedpiper.example", "password": "a long enough password",
    "applicationId": "$applicationId", "noJWT": true, "ipAddress": "192.0.2.1",
    "metaData": {"device": {"name": "phone"}}
}"#;

pub const TENANT: &str = r#"{
    "tenant": {
        "name": "Tenant $unique", "data": {"colour": "red"}, "issuer": "piedpiper.example",
        "emailConfiguration": {
            "host": "mail.example", "port": 587, "security": "TLS", "username": "me",
            "password": "secret", "defaultFromEmail": "news@piedpiper.example",
            "defaultFromName": "Pied Piper",
            "additionalHeaders": [{"name": "X-Colour", "value": "red"}], "debug": false,
            "rateLimit": 20
        },
        "eventConfiguration": {
            "events": {"user.action": {"enabled": true, "transactionType": "Any"}}
        },
        "failedAuthenticationConfiguration": {
            "userActionId": "$userActionId", "tooManyAttempts": 5, "resetCountInSeconds": 60,
            "actionDuration": 3, "actionDurationUnit": "MINUTES", "emailUser": false,
            "actionCancelPolicy": {"onPasswordReset": false}
        }
    },
    "webhookIds": ["$webhookId"]
}"#;

pub const APPLICATION: &str = r#"{"application": {
    "name": "App $unique", "data": {"colour": "red"}, "baseURL": "https://piedpiper.example",
    "roles": [{"name": "editor", "description": "edits", "isDefault": true}],
    "loginConfiguration": {"requireAuthentication": true}
}}"#;

pub const API_KEY: &str = r#"{"apiKey": {
    "name": "Key $unique", "tenantId": "$tenantId", "retrievable": true,
    "permissions": {"endpoints": {"/api/user-action": ["GET", "POST"]}},
    "expirationInstant": 4000000000000,
    "metaData": {"attributes": {"description": "for a test"}}
}}"#;

pub const API_KEY_SEARCH: &str = r#"{"search": {
    "name": "key*", "tenantId": "$tenantId", "numberOfResults": 5, "startRow": 0,
    "orderBy": "name DESC, insertInstant"
}}"#;

pub const AUDIT_LOG: &str = r#"{"auditLog": {
    "insertUser": "admin@piedpiper.example", "message": "Looked around",
    "data": {"reason": {"code": 7}}, "oldValue": {"a": 1}, "newValue": {"a": 2},
    "reason": "Curiosity"
}}"#;

pub const AUDIT_LOG_SEARCH: &str = r#"{"search": {
    "message": "*looked*", "user": "admin", "start": 0, "end": 4000000000000,
    "oldValue": "1", "newValue": "2", "reason": "curiosity", "numberOfResults": 5,
    "startRow": 0, "orderBy": "message ASC, insertUser DESC"
}}"#;

pub const EVENT_LOG_SEARCH: &str = r#"{"search": {
    "message": "*mail*", "type": "Error", "start": 0, "end": 4000000000000,
    "numberOfResults": 5, "startRow": 0, "orderBy": "insertInstant ASC"
}}"#;

pub const WEBHOOK_LOG_SEARCH: &str = r#"{"search": {
    "event": "*Enough*", "eventResult": "Running", "eventType": "user.action",
    "start": 0, "end": 4000000000000, "numberOfResults": 5, "startRow": 0,
    "orderBy": "sequence DESC, insertInstant"
}}"#;

pub const TENANT_SEARCH: &str = r#"{"search": {
    "name": "tenant*", "numberOfResults": 5, "startRow": 0, "orderBy": "name DESC"
}}"#;

pub const USER_SEARCH: &str = r#"{"search": {
    "ids": ["$userId"], "queryString": "user*", "numberOfResults": 5, "startRow": 0,
    "sortFields": [{"name": "email", "order": "desc", "missing": "_last"}]
}}"#;

pub const REGISTRATION: &str = r#"{
    "user": {"username": "member.$unique", "password": "a long enough password"},
    "registration": {
        "applicationId": "$applicationId", "roles": ["editor"], "username": "Erlich",
        "preferredLanguages": ["de"], "timezone": "Europe/Berlin", "data": {"deep": [1]}
    },
    "sendSetPasswordEmail": false, "skipVerification": true
}"#;

pub const ACTION_SEARCH: &str = r#"{"search": {
    "userId": "$userId", "actionerUserId": "$actionerUserId",
    "userActionId": "$userActionId", "active": true, "start": 0, "end": 4000000000000,
    "numberOfResults": 5, "startRow": 0, "orderBy": "insertInstant DESC, name"
}}"#;

pub const KEY_GENERATION: &str = r#"{"key": {
    "name": "Signs $unique", "algorithm": "ES256", "length": 256, "tenantId": "$tenantId"
}}"#;

/// A pair of nobody: both parts, so that each can be damaged.
pub const KEY_IMPORT: &str = r#"{"key": {
    "name": "Imported $unique", "algorithm": "ES256", "kid": "kid $unique", "tenantId": "$tenantId",
    "privateKey": "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5/mUzz7Su+Y2AsEv\nxMVOtTHwBgx0oReo6phTpnpbGG2hRANCAAT4euE/H7VzcwvvADpwdd6/nSmv00e7\neGjmZUpgfBra56Vri4Au+/orTNnxwnQbGKlEN2aqufVn2XmswGDsFxd0\n-----END PRIVATE KEY-----",
    "publicKey": "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+HrhPx+1c3ML7wA6cHXev50pr9NH\nu3ho5mVKYHwa2uela4uALvv6K0zZ8cJ0GxipRDdmqrn1Z9l5rMBg7BcXdA==\n-----END PUBLIC KEY-----"
}}"#;

pub const KEY: &str = r#"{"key": {"name": "Renamed $unique"}}"#;
