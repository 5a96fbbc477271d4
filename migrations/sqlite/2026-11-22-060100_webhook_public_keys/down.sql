ALTER TABLE webhook_secrets DROP COLUMN public_key;
