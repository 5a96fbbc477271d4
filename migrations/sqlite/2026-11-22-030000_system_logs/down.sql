DROP INDEX deliveries_event;
DROP INDEX events_insert_instant;
CREATE TABLE plain_events (
    id BLOB NOT NULL,
    event_type TEXT NOT NULL,
    tenant_id BLOB NOT NULL,
    action_log_id BLOB,
    linked_object_id BLOB,
    body TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO plain_events (id, event_type, tenant_id, action_log_id, linked_object_id, body, insert_instant)
SELECT id, event_type, tenant_id, action_log_id, linked_object_id, body, insert_instant FROM events ORDER BY sequence;
DROP TABLE events;
ALTER TABLE plain_events RENAME TO events;
DROP TABLE audit_logs;
