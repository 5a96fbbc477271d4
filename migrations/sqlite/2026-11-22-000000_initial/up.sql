-- Who a user belongs to. `settings` keeps members of the API that Beadle stores without acting on them.
CREATE TABLE tenants (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_normalized TEXT NOT NULL,
    is_default BOOLEAN NOT NULL,
    data TEXT NOT NULL,
    email_configuration TEXT NOT NULL,
    smtp_password BLOB,
    event_configuration TEXT NOT NULL,
    settings TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name_normalized)
);
CREATE UNIQUE INDEX tenants_one_default ON tenants (is_default) WHERE is_default;

-- What an action may be limited to.
CREATE TABLE applications (
    id BLOB NOT NULL,
    tenant_id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_normalized TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    data TEXT NOT NULL,
    settings TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, name_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

-- Actioners and actionees. `email` and `username_normalized` are lower case.
CREATE TABLE users (
    id BLOB NOT NULL,
    tenant_id BLOB NOT NULL,
    active BOOLEAN NOT NULL,
    email TEXT,
    username TEXT,
    username_normalized TEXT,
    password_hash TEXT,
    password_last_update_instant BIGINT,
    first_name TEXT,
    middle_name TEXT,
    last_name TEXT,
    full_name TEXT,
    image_url TEXT,
    mobile_phone TEXT,
    parent_email TEXT,
    birth_date TEXT,
    timezone TEXT,
    expiry BIGINT,
    preferred_languages TEXT NOT NULL,
    data TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, email),
    UNIQUE (tenant_id, username_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

-- Looked up by hash; the sealed text is there only for retrievable keys.
CREATE TABLE api_keys (
    id BLOB NOT NULL,
    key_hash BLOB NOT NULL,
    key_sealed BLOB,
    name TEXT,
    name_normalized TEXT,
    tenant_id BLOB,
    permissions TEXT,
    key_manager BOOLEAN NOT NULL,
    retrievable BOOLEAN NOT NULL,
    expiration_instant BIGINT,
    meta_data TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key_hash),
    UNIQUE (name_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

-- `version` counts the changes, so that an email can say which one it came from.
CREATE TABLE email_templates (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_normalized TEXT NOT NULL,
    from_email TEXT,
    default_from_name TEXT,
    default_subject TEXT NOT NULL,
    default_html_template TEXT NOT NULL,
    default_text_template TEXT NOT NULL,
    localized_from_names TEXT NOT NULL,
    localized_html_templates TEXT NOT NULL,
    localized_subjects TEXT NOT NULL,
    localized_text_templates TEXT NOT NULL,
    version INTEGER NOT NULL,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name_normalized)
);

-- Definitions of what can be done to users.
CREATE TABLE user_actions (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_normalized TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    temporal BOOLEAN NOT NULL,
    prevent_login BOOLEAN NOT NULL,
    send_end_event BOOLEAN NOT NULL,
    include_email_in_event_json BOOLEAN NOT NULL,
    user_emailing_enabled BOOLEAN NOT NULL,
    user_notifications_enabled BOOLEAN NOT NULL,
    start_email_template_id BLOB,
    modify_email_template_id BLOB,
    cancel_email_template_id BLOB,
    end_email_template_id BLOB,
    localized_names TEXT,
    options TEXT NOT NULL,
    tenant_ids TEXT NOT NULL,
    transaction_type TEXT,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name_normalized),
    FOREIGN KEY (start_email_template_id) REFERENCES email_templates (id),
    FOREIGN KEY (modify_email_template_id) REFERENCES email_templates (id),
    FOREIGN KEY (cancel_email_template_id) REFERENCES email_templates (id),
    FOREIGN KEY (end_email_template_id) REFERENCES email_templates (id)
);

-- Why an action is taken. Copied into the log, so nothing refers to a row here.
CREATE TABLE user_action_reasons (
    id BLOB NOT NULL,
    code TEXT NOT NULL,
    code_normalized TEXT NOT NULL,
    text TEXT NOT NULL,
    text_normalized TEXT NOT NULL,
    localized_texts TEXT,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (code_normalized),
    UNIQUE (text_normalized)
);

-- Registrations of receivers. `headers` and the password are sealed. `user_action_enabled` repeats one
-- entry of `events_enabled` as a column, because every action asks for it.
CREATE TABLE webhooks (
    id BLOB NOT NULL,
    url TEXT NOT NULL,
    description TEXT,
    connect_timeout INTEGER NOT NULL,
    read_timeout INTEGER NOT NULL,
    global BOOLEAN NOT NULL,
    events_enabled TEXT NOT NULL,
    user_action_enabled BOOLEAN NOT NULL,
    headers BLOB NOT NULL,
    http_authentication_username TEXT,
    http_authentication_password BLOB,
    data TEXT NOT NULL,
    signature_enabled BOOLEAN NOT NULL,
    signing_key_id BLOB,
    ssl_certificate TEXT,
    ssl_certificate_key_id BLOB,
    rate_limit INTEGER,
    ordered_by TEXT,
    contact_email TEXT,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- Which tenants a webhook that is not global belongs to.
CREATE TABLE webhook_tenants (
    webhook_id BLOB NOT NULL,
    tenant_id BLOB NOT NULL,
    PRIMARY KEY (webhook_id, tenant_id),
    FOREIGN KEY (webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE INDEX webhook_tenants_tenant ON webhook_tenants (tenant_id);

-- Signing secrets, sealed. A secret is live until its expiration.
CREATE TABLE webhook_secrets (
    id BLOB NOT NULL,
    webhook_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    secret BLOB NOT NULL,
    insert_instant BIGINT NOT NULL,
    expiration_instant BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY (webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE
);
CREATE INDEX webhook_secrets_webhook ON webhook_secrets (webhook_id);

-- One definition applied to one user. `end_due` is when the end phase has to run: null for logs without
-- an end, and once it has been processed. `revision` counts changes and guards against lost updates.
CREATE TABLE action_logs (
    id BLOB NOT NULL,
    tenant_id BLOB NOT NULL,
    actionee_user_id BLOB NOT NULL,
    actioner_user_id BLOB,
    user_action_id BLOB NOT NULL,
    application_ids TEXT NOT NULL,
    comment TEXT,
    email_user_on_end BOOLEAN NOT NULL,
    notify_user_on_end BOOLEAN NOT NULL,
    end_event_sent BOOLEAN,
    expiry BIGINT,
    end_due BIGINT,
    canceled BOOLEAN NOT NULL,
    prevent_login BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    localized_name TEXT NOT NULL,
    option TEXT,
    localized_option TEXT,
    reason TEXT,
    localized_reason TEXT,
    reason_code TEXT,
    revision INTEGER NOT NULL,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (actionee_user_id) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (user_action_id) REFERENCES user_actions (id) ON DELETE CASCADE
);
CREATE INDEX action_logs_actionee ON action_logs (actionee_user_id, insert_instant);
CREATE INDEX action_logs_definition ON action_logs (user_action_id);
-- What the expiry job looks for: the few logs whose end is still to come.
CREATE INDEX action_logs_end_due ON action_logs (end_due) WHERE end_due IS NOT NULL;

-- The states that a modify or a cancel replaced, oldest first.
CREATE TABLE action_history (
    action_log_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    actioner_user_id BLOB,
    comment TEXT,
    create_instant BIGINT NOT NULL,
    expiry BIGINT,
    PRIMARY KEY (action_log_id, position),
    FOREIGN KEY (action_log_id) REFERENCES action_logs (id) ON DELETE CASCADE
);

-- The exact bytes that are signed and sent. Rows are never changed.
CREATE TABLE events (
    id BLOB NOT NULL,
    event_type TEXT NOT NULL,
    tenant_id BLOB NOT NULL,
    action_log_id BLOB,
    linked_object_id BLOB,
    body TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- What was or is to be sent, rendered once. Rows are never changed.
CREATE TABLE emails (
    id BLOB NOT NULL,
    tenant_id BLOB NOT NULL,
    action_log_id BLOB,
    event_id BLOB,
    user_id BLOB,
    template_id BLOB,
    template_version INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    from_address TEXT NOT NULL,
    from_display TEXT,
    reply_to TEXT,
    to_addresses TEXT NOT NULL,
    cc_addresses TEXT NOT NULL,
    bcc_addresses TEXT NOT NULL,
    subject TEXT NOT NULL,
    html TEXT NOT NULL,
    text TEXT NOT NULL,
    headers TEXT NOT NULL,
    subject_locale TEXT,
    from_name_locale TEXT,
    html_locale TEXT,
    text_locale TEXT,
    insert_instant BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- Deliveries still owed: small and hot. A leased row has a token, and its `due_at` is the end of its lease.
-- No foreign keys: this table is written for every delivery, and a row whose event is gone is settled as such.
CREATE TABLE outbox (
    id BLOB NOT NULL,
    kind SMALLINT NOT NULL,
    destination BLOB NOT NULL,
    event_id BLOB,
    email_id BLOB,
    recipient TEXT,
    attempt INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    lease_token BLOB,
    lease_owner TEXT,
    insert_instant BIGINT NOT NULL,
    PRIMARY KEY (id)
);
-- The claim walks this: kind, then destination by destination, then what is due first.
CREATE INDEX outbox_due ON outbox (kind, destination, due_at);

-- Deliveries that have left the outbox, each with its last attempt.
CREATE TABLE deliveries (
    id BLOB NOT NULL,
    kind SMALLINT NOT NULL,
    destination BLOB NOT NULL,
    event_id BLOB,
    email_id BLOB,
    recipient TEXT,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    insert_instant BIGINT NOT NULL,
    settle_instant BIGINT NOT NULL,
    attempt_instant BIGINT,
    duration_millis INTEGER,
    result TEXT,
    status_code INTEGER,
    class TEXT,
    message TEXT,
    response_excerpt TEXT,
    PRIMARY KEY (id)
);

-- Earlier attempts, append-only.
CREATE TABLE attempts (
    delivery_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    instant BIGINT NOT NULL,
    duration_millis INTEGER,
    result TEXT NOT NULL,
    status_code INTEGER,
    class TEXT,
    message TEXT,
    response_excerpt TEXT,
    PRIMARY KEY (delivery_id, number)
);

-- What an operator should know about: templates that failed, servers that refused.
CREATE TABLE event_logs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    insert_instant BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    message TEXT NOT NULL
);
