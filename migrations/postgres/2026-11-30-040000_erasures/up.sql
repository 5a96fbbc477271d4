-- Tenants and users that are being erased. From the moment its Id stands here nobody sees a tenant or a user any more;
-- then its rows go, batch by batch, and this one last. So whoever is killed in between, another can go on.
CREATE TABLE erasures (
    id uuid NOT NULL,
    kind text NOT NULL,
    insert_instant bigint NOT NULL,
    PRIMARY KEY (kind, id)
);

-- What it delivers was erased while a worker had it in hand: nothing that says more than how it went is kept of it.
ALTER TABLE outbox ADD COLUMN erased boolean NOT NULL DEFAULT FALSE;

-- Mail is checked by its addresses, in whatever tenant; what has had its time is forgotten; and what a mail led to goes
-- with it.
CREATE INDEX suppressions_address ON suppressions (address_normalized);
CREATE INDEX suppressions_expiration ON suppressions (expiration_instant);
CREATE INDEX suppressions_delivery ON suppressions (delivery_id);

-- Events and mails that no log leads to: those of logs that were removed with their definition or never came to be,
-- and mails to addresses rather than to users. Few rows.
CREATE INDEX events_without_log ON events (linked_object_id) WHERE action_log_id IS NULL OR rolled_back;
CREATE INDEX emails_without_user ON emails (tenant_id) WHERE action_log_id IS NULL AND user_id IS NULL;
