ALTER TABLE signing_keys DROP COLUMN tenant_id;
-- Before, an empty map of permissions meant everything.
UPDATE api_keys SET permissions = '{"":[]}' WHERE permissions = '{}';
