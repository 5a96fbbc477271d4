DROP INDEX deliveries_event;
DROP INDEX events_insert_instant;
ALTER TABLE events DROP COLUMN sequence;
DROP TABLE audit_logs;
