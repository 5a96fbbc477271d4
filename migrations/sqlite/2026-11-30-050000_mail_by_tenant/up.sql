-- A destination of mail is a tenant's and not a server's: the tenant's Id with 8 for its version.
UPDATE mail_limits SET destination = unhex(substr(hex(tenant_id), 1, 12) || '8' || substr(hex(tenant_id), 14));
UPDATE outbox SET destination = unhex(substr(hex(emails.tenant_id), 1, 12) || '8' || substr(hex(emails.tenant_id), 14))
FROM emails WHERE emails.id = outbox.email_id;
-- How servers fared says nothing about a tenant.
DELETE FROM destination_states WHERE NOT EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = destination_states.destination);
