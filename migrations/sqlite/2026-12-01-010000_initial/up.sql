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
    -- What a search compares with: the names, folded by the program, since the databases' own ideas of case differ.
    first_name_normalized TEXT,
    last_name_normalized TEXT,
    full_name_normalized TEXT,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, email),
    UNIQUE (tenant_id, username_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE INDEX users_insert_instant ON users (insert_instant, id);

-- Who uses which application of their tenant. `roles`, `preferred_languages` and `data` are JSON.
CREATE TABLE registrations (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    application_id BLOB NOT NULL,
    username TEXT,
    timezone TEXT,
    roles TEXT NOT NULL,
    preferred_languages TEXT NOT NULL,
    data TEXT NOT NULL,
    last_login_instant BIGINT,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (user_id, application_id),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (application_id) REFERENCES applications (id) ON DELETE CASCADE
);
CREATE INDEX registrations_application ON registrations (application_id);

-- Wrong passwords of late, one row each: what a tenant's lockout counts. A user never has more rows than the
-- limit of their tenant.
CREATE TABLE failed_logins (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    instant BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX failed_logins_user ON failed_logins (user_id, instant);

-- Tenants and users that are being erased. From the moment its Id stands here nobody sees a tenant or a user any more;
-- then its rows go, batch by batch, and this one last. So whoever is killed in between, another can go on.
CREATE TABLE erasures (
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
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

-- Keys that sign the bodies of webhooks for receivers that check a JWT, and mail. The private part is sealed; a key that
-- was imported without one only shows its public part. A key belongs to a tenant, and goes with it, or to all.
CREATE TABLE signing_keys (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_normalized TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    kid TEXT NOT NULL,
    length INTEGER NOT NULL,
    public_key TEXT,
    private_key BLOB,
    insert_instant BIGINT NOT NULL,
    last_update_instant BIGINT NOT NULL,
    tenant_id BLOB,
    PRIMARY KEY (id),
    UNIQUE (name_normalized),
    UNIQUE (kid),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
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
    PRIMARY KEY (id),
    CONSTRAINT webhooks_signing_key FOREIGN KEY (signing_key_id) REFERENCES signing_keys (id)
);
-- Each batch of actions asks for the webhooks of all tenants: not at the price of reading those of every other tenant.
CREATE INDEX webhooks_global ON webhooks (id) WHERE global AND user_action_enabled;

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
    -- The public half of an Ed25519 pair (`v1a`), for the document that receivers fetch: nobody has to open a secret
    -- for that.
    public_key TEXT,
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
-- What a search over the logs of all users needs: the newest first, of a tenant or of an actioner.
CREATE INDEX action_logs_tenant ON action_logs (tenant_id, insert_instant);
CREATE INDEX action_logs_actioner ON action_logs (actioner_user_id, insert_instant);
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
    id BLOB NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    tenant_id BLOB NOT NULL,
    action_log_id BLOB,
    linked_object_id BLOB,
    body TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    -- The order in which events were made, for those who read their log. It takes the place of the hidden row number,
    -- which might be given twice.
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- Some receivers were asked about this event, and what it tells of did not happen after all. It stands in the log
    -- and is delivered to nobody.
    rolled_back BOOLEAN NOT NULL DEFAULT 0
);
-- The log is read, and pruned, by time. Grows at its end.
CREATE INDEX events_insert_instant ON events (insert_instant);
CREATE INDEX events_action_log ON events (action_log_id) WHERE action_log_id IS NOT NULL;
-- Events that no log leads to: those of logs that were removed with their definition or never came to be. Few rows.
CREATE INDEX events_without_log ON events (linked_object_id) WHERE action_log_id IS NULL OR rolled_back;

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
    -- What the reader asked for, best first: with the locale of each part it tells how that was reached.
    preferred_languages TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (id)
);
CREATE INDEX emails_action_log ON emails (action_log_id) WHERE action_log_id IS NOT NULL;
CREATE INDEX emails_user ON emails (user_id) WHERE action_log_id IS NULL AND user_id IS NOT NULL;
-- Mails to addresses rather than to users. Few rows.
CREATE INDEX emails_without_user ON emails (tenant_id) WHERE action_log_id IS NULL AND user_id IS NULL;

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
    -- 0 fresh, 1 tried before, 2 parked behind a predecessor. A retry never stands between a claim and what is fresh.
    priority SMALLINT NOT NULL DEFAULT 0,
    -- What arrives in order, and where it stands in it.
    order_key BLOB,
    sequence BIGINT,
    -- Attempts made before the schedule last began anew, as after a replay.
    base_attempt INTEGER NOT NULL DEFAULT 0,
    -- What it delivers was erased while a worker had it in hand: nothing that says more than how it went is kept of it.
    erased BOOLEAN NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
);
-- The claim walks this: kind, then destination by destination, its fresh rows before the others, then what is due first.
CREATE INDEX outbox_due ON outbox (kind, destination, priority, due_at);
CREATE INDEX outbox_order ON outbox (destination, order_key, sequence) WHERE order_key IS NOT NULL;
-- Look-ups by what is delivered must not read a backlog. Ids grow with time, so these grow at their ends.
CREATE INDEX outbox_event ON outbox (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX outbox_email ON outbox (email_id) WHERE email_id IS NOT NULL;

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
-- Event Ids grow with time, so these grow at their ends too.
CREATE INDEX deliveries_event ON deliveries (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_email ON deliveries (email_id) WHERE email_id IS NOT NULL;
CREATE INDEX deliveries_destination ON deliveries (destination, insert_instant);
-- Those that never arrived: few rows.
CREATE INDEX deliveries_undelivered ON deliveries (id) WHERE state <> 'Delivered';

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

-- How a destination (a webhook, or a tenant's mail) fares, known to all workers. A destination that is plainly healthy
-- and has no rate limit has no row. No foreign key: not every destination is a webhook.
CREATE TABLE destination_states (
    destination BLOB NOT NULL,
    -- Nothing but failures since then, and how many in a row.
    failing_since BIGINT,
    failures INTEGER NOT NULL,
    -- The peer asked to be left alone until then, and how often in a row it did.
    throttled_until BIGINT,
    throttles INTEGER NOT NULL,
    -- `Closed`, `Open` until an instant, or `HalfOpen`: one probe is on its way until then at most.
    circuit TEXT NOT NULL,
    circuit_until BIGINT,
    circuit_opened INTEGER NOT NULL,
    -- When the next request would come if all came evenly: microseconds since the epoch, 0 before the first.
    theoretical_arrival_micros BIGINT NOT NULL,
    disabled_instant BIGINT,
    disabled_reason TEXT,
    PRIMARY KEY (destination)
);

-- How many mails a second a tenant's mail server takes, if the tenant says so: few rows, read by each claim of mail.
CREATE TABLE mail_limits (
    destination BLOB NOT NULL,
    tenant_id BLOB NOT NULL UNIQUE,
    rate_limit INTEGER NOT NULL,
    PRIMARY KEY (destination, tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

-- Addresses that a mail server has refused for good. By tenant: one tenant's server must not keep others from
-- mailing anybody.
CREATE TABLE suppressions (
    tenant_id BLOB NOT NULL,
    address_normalized TEXT NOT NULL,
    address TEXT NOT NULL,
    delivery_id BLOB NOT NULL,
    status_code INTEGER,
    reason TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    expiration_instant BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, address_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
-- Mail is checked by its addresses, in whatever tenant; what has had its time is forgotten; and what a mail led to goes
-- with it.
CREATE INDEX suppressions_address ON suppressions (address_normalized);
CREATE INDEX suppressions_expiration ON suppressions (expiration_instant);
CREATE INDEX suppressions_delivery ON suppressions (delivery_id);

-- What an operator should know about: templates that failed, servers that refused.
CREATE TABLE event_logs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    insert_instant BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    message TEXT NOT NULL
);

-- Who changed what: told by those who did it, or by Beadle of its own configuration. An entry with `erased_with` loses its
-- values together with that tenant.
CREATE TABLE audit_logs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant_id BLOB,
    insert_user TEXT NOT NULL,
    message TEXT NOT NULL,
    reason TEXT,
    old_value TEXT,
    new_value TEXT,
    data TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    erased_with BLOB
);
CREATE INDEX audit_logs_erased_with ON audit_logs (erased_with);

-- Requests that carry an Idempotency-Key, by a hash of whose and which key it is. Without an answer the request
-- is under way; `token` is the proof of whoever carries it out. From `expiration_instant` on, the row is as good
-- as gone: whoever finds it may take it over or remove it.
CREATE TABLE idempotency_keys (
    id BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    token BLOB NOT NULL,
    answer BLOB,
    expiration_instant BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX idempotency_keys_expiration ON idempotency_keys (expiration_instant);

-- The configuration as a whole has one number, which each change of any of it raises. Whoever remembers rows of these
-- tables remembers the number that they go with, and asks for it in the transaction that writes.
CREATE TABLE config_epoch (
    id SMALLINT NOT NULL,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);
INSERT INTO config_epoch (id, epoch) VALUES (1, 1);

CREATE TRIGGER tenants_insert_config_epoch AFTER INSERT ON tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER tenants_update_config_epoch AFTER UPDATE ON tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER tenants_delete_config_epoch AFTER DELETE ON tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER api_keys_insert_config_epoch AFTER INSERT ON api_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER api_keys_update_config_epoch AFTER UPDATE ON api_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER api_keys_delete_config_epoch AFTER DELETE ON api_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_actions_insert_config_epoch AFTER INSERT ON user_actions BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_actions_update_config_epoch AFTER UPDATE ON user_actions BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_actions_delete_config_epoch AFTER DELETE ON user_actions BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_action_reasons_insert_config_epoch AFTER INSERT ON user_action_reasons BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_action_reasons_update_config_epoch AFTER UPDATE ON user_action_reasons BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_action_reasons_delete_config_epoch AFTER DELETE ON user_action_reasons BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhooks_insert_config_epoch AFTER INSERT ON webhooks BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhooks_update_config_epoch AFTER UPDATE ON webhooks BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhooks_delete_config_epoch AFTER DELETE ON webhooks BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_tenants_insert_config_epoch AFTER INSERT ON webhook_tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_tenants_update_config_epoch AFTER UPDATE ON webhook_tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_tenants_delete_config_epoch AFTER DELETE ON webhook_tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_secrets_insert_config_epoch AFTER INSERT ON webhook_secrets BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_secrets_update_config_epoch AFTER UPDATE ON webhook_secrets BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_secrets_delete_config_epoch AFTER DELETE ON webhook_secrets BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER signing_keys_insert_config_epoch AFTER INSERT ON signing_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER signing_keys_update_config_epoch AFTER UPDATE ON signing_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER signing_keys_delete_config_epoch AFTER DELETE ON signing_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
