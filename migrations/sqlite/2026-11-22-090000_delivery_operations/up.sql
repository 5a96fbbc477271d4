-- What people ask of deliveries: those of an action or of a user, and those that never arrived. Ids grow with time, so
-- the first two grow at their ends; the others hold few rows.
CREATE INDEX events_action_log ON events (action_log_id) WHERE action_log_id IS NOT NULL;
CREATE INDEX emails_action_log ON emails (action_log_id) WHERE action_log_id IS NOT NULL;
CREATE INDEX emails_user ON emails (user_id) WHERE action_log_id IS NULL AND user_id IS NOT NULL;
CREATE INDEX deliveries_undelivered ON deliveries (id) WHERE state <> 'Delivered';
