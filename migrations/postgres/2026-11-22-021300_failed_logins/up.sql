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
