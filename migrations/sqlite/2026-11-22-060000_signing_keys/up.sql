-- Keys that sign the bodies of webhooks for receivers that check a JWT. The private part is sealed; a key that
-- was imported without one only shows its public part.
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
    PRIMARY KEY (id),
    UNIQUE (name_normalized),
    UNIQUE (kid)
);
