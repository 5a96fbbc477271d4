-- What the reader asked for, best first: with the locale of each part it tells how that was reached.
ALTER TABLE emails ADD COLUMN preferred_languages text NOT NULL DEFAULT '[]';

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
