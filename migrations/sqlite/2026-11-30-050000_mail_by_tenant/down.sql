-- What waits is delivered by whatever lane it has; limits come back with each tenant's next change.
DELETE FROM mail_limits;
DELETE FROM lane_states WHERE NOT EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = lane_states.lane);
