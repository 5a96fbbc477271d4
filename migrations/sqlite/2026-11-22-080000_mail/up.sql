-- What the reader asked for, best first: with the locale of each part it tells how that was reached.
ALTER TABLE emails ADD COLUMN preferred_languages TEXT NOT NULL DEFAULT '[]';

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
