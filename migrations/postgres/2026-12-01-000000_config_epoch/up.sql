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
