-- The public half of an Ed25519 pair (`v1a`), for the document that receivers fetch: nobody has to open a secret
-- for that.
ALTER TABLE webhook_secrets ADD COLUMN public_key text;
