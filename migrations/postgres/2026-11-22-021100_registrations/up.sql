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
