-- A signing key belongs to a tenant, and goes with it, or to all.
ALTER TABLE signing_keys ADD COLUMN tenant_id BLOB REFERENCES tenants (id) ON DELETE CASCADE;
-- An API key whose permissions were empty could do everything. From now on empty means nothing.
UPDATE api_keys SET permissions = NULL WHERE permissions = '{}';
