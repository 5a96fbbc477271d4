-- A destination of mail is a tenant's and not a server's: the tenant's Id with 8 for its version.
UPDATE mail_limits SET destination = overlay(tenant_id::text PLACING '8' FROM 15 FOR 1)::uuid;
UPDATE outbox SET destination = overlay(emails.tenant_id::text PLACING '8' FROM 15 FOR 1)::uuid
FROM emails WHERE emails.id = outbox.email_id;
-- How servers fared says nothing about a tenant.
DELETE FROM destination_states WHERE NOT EXISTS (SELECT FROM webhooks WHERE webhooks.id = destination_states.destination);
