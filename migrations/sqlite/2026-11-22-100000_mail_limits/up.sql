-- How many mails a second a mail server takes, as the tenants say that use it: few rows, read by each claim of mail.
CREATE TABLE mail_limits (
    destination BLOB NOT NULL,
    tenant_id BLOB NOT NULL UNIQUE,
    rate_limit INTEGER NOT NULL,
    PRIMARY KEY (destination, tenant_id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
