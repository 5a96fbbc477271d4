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
    -- What a search compares with: the names, folded by the program, since the databases' own ideas of case differ.
    first_name_normalized text,
    last_name_normalized text,
    full_name_normalized text,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, email),
    UNIQUE (tenant_id, username_normalized),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE INDEX users_insert_instant ON users (insert_instant, id);

-- Who uses which application of their tenant. `roles`, `preferred_languages` and `data` are JSON.
CREATE TABLE registrations (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    application_id uuid NOT NULL,
    username text,
    timezone text,
    roles text NOT NULL,
    preferred_languages text NOT NULL,
    data text NOT NULL,
    last_login_instant bigint,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (user_id, application_id),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (application_id) REFERENCES applications (id) ON DELETE CASCADE
);
CREATE INDEX registrations_application ON registrations (application_id);

-- Wrong passwords of late, one row each: what a tenant's lockout counts. A user never has more rows than the
-- limit of their tenant.
CREATE TABLE failed_logins (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    instant bigint NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX failed_logins_user ON failed_logins (user_id, instant);

-- Tenants and users that are being erased. From the moment its Id stands here nobody sees a tenant or a user any more;
-- then its rows go, batch by batch, and this one last. So whoever is killed in between, another can go on.
CREATE TABLE erasures (
    id uuid NOT NULL,
    kind text NOT NULL,
    insert_instant bigint NOT NULL,
    PRIMARY KEY (kind, id)
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

-- Keys that sign the bodies of webhooks for receivers that check a JWT, and mail. The private part is sealed; a key that
-- was imported without one only shows its public part. A key belongs to a tenant, and goes with it, or to all.
CREATE TABLE signing_keys (
    id uuid NOT NULL,
    name text NOT NULL,
    name_normalized text NOT NULL,
    algorithm text NOT NULL,
    kid text NOT NULL,
    length integer NOT NULL,
    public_key text,
    private_key bytea,
    insert_instant bigint NOT NULL,
    last_update_instant bigint NOT NULL,
    tenant_id uuid,
    PRIMARY KEY (id),
    UNIQUE (name_normalized),
    UNIQUE (kid),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
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
    PRIMARY KEY (id),
    CONSTRAINT webhooks_signing_key FOREIGN KEY (signing_key_id) REFERENCES signing_keys (id)
);
-- Each batch of actions asks for the webhooks of all tenants: not at the price of reading those of every other tenant.
CREATE INDEX webhooks_global ON webhooks (id) WHERE global AND user_action_enabled;

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
    -- The public half of an Ed25519 pair (`v1a`), for the document that receivers fetch: nobody has to open a secret
    -- for that.
    public_key text,
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
-- What a search over the logs of all users needs: the newest first, of a tenant or of an actioner.
CREATE INDEX action_logs_tenant ON action_logs (tenant_id, insert_instant);
CREATE INDEX action_logs_actioner ON action_logs (actioner_user_id, insert_instant);
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
    -- The order in which events were made, for those who read their log. Nothing looks an event up by it, so it has no
    -- index and costs an event a few bytes.
    sequence bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    -- Some receivers were asked about this event, and what it tells of did not happen after all. It stands in the log
    -- and is delivered to nobody.
    rolled_back boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id)
);
-- The log is read, and pruned, by time. Grows at its end.
CREATE INDEX events_insert_instant ON events (insert_instant);
CREATE INDEX events_action_log ON events (action_log_id) WHERE action_log_id IS NOT NULL;
-- Events that no log leads to: those of logs that were removed with their definition or never came to be. Few rows.
CREATE INDEX events_without_log ON events (linked_object_id) WHERE action_log_id IS NULL OR rolled_back;

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
    -- What the reader asked for, best first: with the locale of each part it tells how that was reached.
    preferred_languages text NOT NULL DEFAULT '[]',
    PRIMARY KEY (id)
);
CREATE INDEX emails_action_log ON emails (action_log_id) WHERE action_log_id IS NOT NULL;
CREATE INDEX emails_user ON emails (user_id) WHERE action_log_id IS NULL AND user_id IS NOT NULL;
-- Mails to addresses rather than to users. Few rows.
CREATE INDEX emails_without_user ON emails (tenant_id) WHERE action_log_id IS NULL AND user_id IS NULL;

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
    -- 0 fresh, 1 tried before, 2 parked behind a predecessor. A retry never stands between a claim and what is fresh.
    priority smallint NOT NULL DEFAULT 0,
    -- What arrives in order, and where it stands in it.
    order_key uuid,
    sequence bigint,
    -- Attempts made before the schedule last began anew, as after a replay.
    base_attempt integer NOT NULL DEFAULT 0,
    -- What it delivers was erased while a worker had it in hand: nothing that says more than how it went is kept of it.
    erased boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id)
);
-- The claim walks this: kind, then destination by destination, its fresh rows before the others, then what is due first.
CREATE INDEX outbox_due ON outbox (kind, destination, priority, due_at);
CREATE INDEX outbox_order ON outbox (destination, order_key, sequence) WHERE order_key IS NOT NULL;
-- Look-ups by what is delivered must not read a backlog. Ids grow with time, so these grow at their ends.
CREATE INDEX outbox_event ON outbox (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX outbox_email ON outbox (email_id) WHERE email_id IS NOT NULL;
-- Rows of the outbox live for milliseconds: dead ones are cleared by count, since a
-- share of a table that is nearly empty says nothing.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);

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
-- Event Ids grow with time, so these grow at their ends too.
CREATE INDEX deliveries_event ON deliveries (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_email ON deliveries (email_id) WHERE email_id IS NOT NULL;
CREATE INDEX deliveries_destination ON deliveries (destination, insert_instant);
-- Those that never arrived: few rows.
CREATE INDEX deliveries_undelivered ON deliveries (id) WHERE state <> 'Delivered';

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

-- How a destination (a webhook, or a tenant's mail) fares, known to all workers. A destination that is plainly healthy
-- and has no rate limit has no row. No foreign key: not every destination is a webhook.
CREATE TABLE destination_states (
    destination uuid NOT NULL,
    -- Nothing but failures since then, and how many in a row.
    failing_since bigint,
    failures integer NOT NULL,
    -- The peer asked to be left alone until then, and how often in a row it did.
    throttled_until bigint,
    throttles integer NOT NULL,
    -- `Closed`, `Open` until an instant, or `HalfOpen`: one probe is on its way until then at most.
    circuit text NOT NULL,
    circuit_until bigint,
    circuit_opened integer NOT NULL,
    -- When the next request would come if all came evenly: microseconds since the epoch, 0 before the first.
    theoretical_arrival_micros bigint NOT NULL,
    disabled_instant bigint,
    disabled_reason text,
    PRIMARY KEY (destination)
);

-- How many mails a second a tenant's mail server takes, if the tenant says so: few rows, read by each claim of mail.
CREATE TABLE mail_limits (
    destination uuid NOT NULL,
    tenant_id uuid NOT NULL UNIQUE,
    rate_limit integer NOT NULL,
    PRIMARY KEY (destination, tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);

-- Addresses that a mail server has refused for good. By tenant: one tenant's server must not keep others from
-- mailing anybody.
CREATE TABLE suppressions (
    tenant_id uuid NOT NULL,
    address_normalized text NOT NULL,
    address text NOT NULL,
    delivery_id uuid NOT NULL,
    status_code integer,
    reason text NOT NULL,
    insert_instant bigint NOT NULL,
    expiration_instant bigint NOT NULL,
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
    id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    insert_instant bigint NOT NULL,
    event_type text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (id)
);

-- Who changed what: told by those who did it, or by Beadle of its own configuration. An entry with `erased_with` loses its
-- values together with that tenant.
CREATE TABLE audit_logs (
    id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    tenant_id uuid,
    insert_user text NOT NULL,
    message text NOT NULL,
    reason text,
    old_value text,
    new_value text,
    data text NOT NULL,
    insert_instant bigint NOT NULL,
    erased_with uuid,
    PRIMARY KEY (id)
);
CREATE INDEX audit_logs_erased_with ON audit_logs (erased_with);

-- Requests that carry an Idempotency-Key, by a hash of whose and which key it is. Without an answer the request
-- is under way; `token` is the proof of whoever carries it out. From `expiration_instant` on, the row is as good
-- as gone: whoever finds it may take it over or remove it.
CREATE TABLE idempotency_keys (
    id uuid NOT NULL,
    request_hash bytea NOT NULL,
    token uuid NOT NULL,
    answer bytea,
    expiration_instant bigint NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX idempotency_keys_expiration ON idempotency_keys (expiration_instant);

-- The configuration as a whole has one number, which each transaction raises that changes any of it. Whoever remembers
-- rows of these tables remembers the number that they go with, and asks for it in the statement that writes.
CREATE TABLE config_epoch (
    id smallint NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);
INSERT INTO config_epoch (id, epoch) VALUES (1, 1);

-- Once in a transaction, however many rows it changes. The clock keeps a number from coming twice after a failover that
-- has lost the latest changes.
CREATE FUNCTION raise_config_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('beadle.epoch_raised_by', true) IS DISTINCT FROM txid_current()::text THEN
        PERFORM set_config('beadle.epoch_raised_by', txid_current()::text, true);
        UPDATE config_epoch
        SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
        WHERE id = 1;
    END IF;
    RETURN NULL;
END $$;

-- At the commit: so the row of the epoch is the last that a transaction locks, and no two wait for each other.
DO $$
DECLARE
    configuration text;
BEGIN
    FOREACH configuration IN ARRAY ARRAY['tenants', 'api_keys', 'user_actions', 'user_action_reasons', 'webhooks',
        'webhook_tenants', 'webhook_secrets', 'signing_keys']
    LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER config_epoch AFTER INSERT OR UPDATE OR DELETE ON %I
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_config_epoch()', configuration);
        EXECUTE format('CREATE TRIGGER config_epoch_truncated AFTER TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION raise_config_epoch()', configuration);
    END LOOP;
END $$;
