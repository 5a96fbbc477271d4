-- What waits is delivered by whatever destination it has; limits come back with each tenant's next change.
DELETE FROM mail_limits;
DELETE FROM destination_states WHERE NOT EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = destination_states.destination);
