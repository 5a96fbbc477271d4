-- Who a user belongs to. `settings` keeps members of the API that Beadle stores without acting on them.
CREATE TABLE tenants (
    id uuid NOT NULL,
    name text NOT NULL,
    name_normalized text NOT NULL,
    is_default boolean NOT NULL,
    data text NOT NULL,
    email_configuration text NOT NULL,
    smtp_password bytea,
    event_configuration text NOT NULL,
    settings text NOT NULL,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name_normalized)
);
CREATE UNIQUE INDEX tenants_one_default ON tenants (is_default) WHERE is_default;

-- What an action may be limited to.
CREATE TABLE applications (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    name_normalized text NOT NULL,
    active boolean NOT NULL,
    data text NOT NULL,
    settings text NOT NULL,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, name_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

-- Actioners and actionees. `email` and `username_normalized` are lower case.
CREATE TABLE users (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    active boolean NOT NULL,
    email text,
    username text,
    username_normalized text,
    password_hash text,
    password_last_update_instant bigint,
    first_name text,
    middle_name text,
    last_name text,
    full_name text,
    image_url text,
    mobile_phone text,
    parent_email text,
    birth_date text,
    timezone text,
    expiry bigint,
    preferred_languages text NOT NULL,
    data text NOT NULL,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, email),
    UNIQUE (tenant_id, username_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

-- Looked up by hash; the sealed text is there only for retrievable keys.
CREATE TABLE api_keys (
    id uuid NOT NULL,
    key_hash bytea NOT NULL,
    key_sealed bytea,
    name text,
    name_normalized text,
    tenant_id uuid,
    permissions text,
    key_manager boolean NOT NULL,
    retrievable boolean NOT NULL,
    expiration_instant bigint,
    meta_data text NOT NULL,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key_hash),
    UNIQUE (name_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

-- `version` counts the changes, so that an email can say which one it came from.
CREATE TABLE email_templates (
    id uuid NOT NULL,
    name text NOT NULL,
    name_normalized text NOT NULL,
    from_email text,
    default_from_name text,
    default_subject text NOT NULL,
    default_html_template text NOT NULL,
    default_text_template text NOT NULL,
    localized_from_names text NOT NULL,
    localized_html_templates text NOT NULL,
    localized_subjects text NOT NULL,
    localized_text_templates text NOT NULL,
    version integer NOT NULL,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name_normalized)
);

-- Definitions of what can be done to users.
CREATE TABLE user_actions (
    id uuid NOT NULL,
    name text NOT NULL,
    name_normalized text NOT NULL,
    active boolean NOT NULL,
    temporal boolean NOT NULL,
    prevent_login boolean NOT NULL,
    send_end_event boolean NOT NULL,
    include_email_in_event_json boolean NOT NULL,
    user_emailing_enabled boolean NOT NULL,
    user_notifications_enabled boolean NOT NULL,
    start_email_template_id uuid,
    modify_email_template_id uuid,
    cancel_email_template_id uuid,
    end_email_template_id uuid,
    localized_names text,
    options text NOT NULL,
    tenant_ids text NOT NULL,
    transaction_type text,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name_normalized),
    FOREIGN KEY (start_email_template_id) REFERENCES email_templates (id),
    FOREIGN KEY (modify_email_template_id) REFERENCES email_templates (id),
    FOREIGN KEY (cancel_email_template_id) REFERENCES email_templates (id),
    FOREIGN KEY (end_email_template_id) REFERENCES email_templates (id)
);

-- Why an action is taken. Copied into the log, so nothing refers to a row here.
CREATE TABLE user_action_reasons (
    id uuid NOT NULL,
    code text NOT NULL,
    code_normalized text NOT NULL,
    text text NOT NULL,
    text_normalized text NOT NULL,
    localized_texts text,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (code_normalized),
    UNIQUE (text_normalized)
);

-- Registrations of receivers. `headers` and the password are sealed. `user_action_enabled` repeats one
-- entry of `events_enabled` as a column, because every action asks for it.
CREATE TABLE webhooks (
    id uuid NOT NULL,
    url text NOT NULL,
    description text,
    connect_timeout integer NOT NULL,
    read_timeout integer NOT NULL,
    global boolean NOT NULL,
    events_enabled text NOT NULL,
    user_action_enabled boolean NOT NULL,
    headers bytea NOT NULL,
    http_authentication_username text,
    http_authentication_password bytea,
    data text NOT NULL,
    signature_enabled boolean NOT NULL,
    signing_key_id uuid,
    ssl_certificate text,
    ssl_certificate_key_id uuid,
    rate_limit integer,
    ordered_by text,
    contact_email text,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id)
);

-- Which tenants a webhook that is not global belongs to.
CREATE TABLE webhook_tenants (
    webhook_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    PRIMARY KEY (webhook_id, tenant_id),
    FOREIGN KEY (webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE INDEX webhook_tenants_tenant ON webhook_tenants (tenant_id);

-- Signing secrets, sealed. A secret is live until its expiration.
CREATE TABLE webhook_secrets (
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    kind text NOT NULL,
    secret bytea NOT NULL,
    insert_instant bigint NOT NULL,
    expiration_instant bigint,
    PRIMARY KEY (id),
    FOREIGN KEY (webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE
);
CREATE INDEX webhook_secrets_webhook ON webhook_secrets (webhook_id);

-- One definition applied to one user. `end_due` is when the end phase has to run: null for logs without
-- an end, and once it has been processed. `revision` counts changes and guards against lost updates.
CREATE TABLE action_logs (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    actionee_user_id uuid NOT NULL,
    actioner_user_id uuid,
    user_action_id uuid NOT NULL,
    application_ids text NOT NULL,
    comment text,
    email_user_on_end boolean NOT NULL,
    notify_user_on_end boolean NOT NULL,
    end_event_sent boolean,
    expiry bigint,
    end_due bigint,
    canceled boolean NOT NULL,
    prevent_login boolean NOT NULL,
    name text NOT NULL,
    localized_name text NOT NULL,
    option text,
    localized_option text,
    reason text,
    localized_reason text,
    reason_code text,
    revision integer NOT NULL,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
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
    action_log_id uuid NOT NULL,
    position integer NOT NULL,
    actioner_user_id uuid,
    comment text,
    create_instant bigint NOT NULL,
    expiry bigint,
    PRIMARY KEY (action_log_id, position),
    FOREIGN KEY (action_log_id) REFERENCES action_logs (id) ON DELETE CASCADE
);

-- The exact bytes that are signed and sent. Rows are never changed.
CREATE TABLE events (
    id uuid NOT NULL,
    event_type text NOT NULL,
    tenant_id uuid NOT NULL,
    action_log_id uuid,
    linked_object_id uuid,
    body text NOT NULL,
    insert_instant bigint NOT NULL,
    PRIMARY KEY (id)
);

-- What was or is to be sent, rendered once. Rows are never changed.
CREATE TABLE emails (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    action_log_id uuid,
    event_id uuid,
    user_id uuid,
    template_id uuid,
    template_version integer NOT NULL,
    message_id text NOT NULL,
    from_address text NOT NULL,
    from_display text,
    reply_to text,
    to_addresses text NOT NULL,
    cc_addresses text NOT NULL,
    bcc_addresses text NOT NULL,
    subject text NOT NULL,
    html text NOT NULL,
    text text NOT NULL,
    headers text NOT NULL,
    subject_locale text,
    from_name_locale text,
    html_locale text,
    text_locale text,
    insert_instant bigint NOT NULL,
    PRIMARY KEY (id)
);

-- Deliveries still owed: small and hot. A leased row has a token, and its `due_at` is the end of its lease.
-- No foreign keys: this table is written for every delivery, and a row whose event is gone is settled as such.
CREATE TABLE outbox (
    id uuid NOT NULL,
    kind smallint NOT NULL,
    destination uuid NOT NULL,
    event_id uuid,
    email_id uuid,
    recipient text,
    attempt integer NOT NULL,
    due_at bigint NOT NULL,
    lease_token uuid,
    lease_owner text,
    insert_instant bigint NOT NULL,
    PRIMARY KEY (id)
);
-- The claim walks this: kind, then destination by destination, then what is due first.
CREATE INDEX outbox_due ON outbox (kind, destination, due_at);

-- Deliveries that have left the outbox, each with its last attempt.
CREATE TABLE deliveries (
    id uuid NOT NULL,
    kind smallint NOT NULL,
    destination uuid NOT NULL,
    event_id uuid,
    email_id uuid,
    recipient text,
    state text NOT NULL,
    attempt integer NOT NULL,
    insert_instant bigint NOT NULL,
    settle_instant bigint NOT NULL,
    attempt_instant bigint,
    duration_millis integer,
    result text,
    status_code integer,
    class text,
    message text,
    response_excerpt text,
    PRIMARY KEY (id)
);

-- Earlier attempts, append-only.
CREATE TABLE attempts (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    instant bigint NOT NULL,
    duration_millis integer,
    result text NOT NULL,
    status_code integer,
    class text,
    message text,
    response_excerpt text,
    PRIMARY KEY (delivery_id, number)
);

-- What an operator should know about: templates that failed, servers that refused.
CREATE TABLE event_logs (
    id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    insert_instant bigint NOT NULL,
    event_type text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (id)
);
-- Rows of the outbox live for milliseconds: dead ones are cleared by count, since a
-- share of a table that is nearly empty says nothing.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
