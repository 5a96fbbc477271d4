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
