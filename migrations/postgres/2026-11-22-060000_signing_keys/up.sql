-- Keys that sign the bodies of webhooks for receivers that check a JWT. The private part is sealed; a key that
-- was imported without one only shows its public part.
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
    PRIMARY KEY (id),
    UNIQUE (name_normalized),
    UNIQUE (kid)
);

-- SQLite cannot add this to a table that is there, and needs it less: it has one writer, whose check nobody overtakes.
ALTER TABLE webhooks ADD CONSTRAINT webhooks_signing_key FOREIGN KEY (signing_key_id) REFERENCES signing_keys (id);
