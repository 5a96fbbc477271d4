ALTER TABLE webhooks DROP CONSTRAINT webhooks_signing_key;
DROP TABLE signing_keys;
