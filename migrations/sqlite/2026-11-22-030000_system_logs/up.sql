-- Who changed what, told by those who did it.
CREATE TABLE audit_logs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant_id BLOB,
    insert_user TEXT NOT NULL,
    message TEXT NOT NULL,
    reason TEXT,
    old_value TEXT,
    new_value TEXT,
    data TEXT NOT NULL,
    insert_instant BIGINT NOT NULL
);

-- The order in which events were made, for those who read their log. It takes the place of the hidden row number,
-- which might be given twice: the table has the same two trees as before.
CREATE TABLE numbered_events (
    id BLOB NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    tenant_id BLOB NOT NULL,
    action_log_id BLOB,
    linked_object_id BLOB,
    body TEXT NOT NULL,
    insert_instant BIGINT NOT NULL,
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT
);
INSERT INTO numbered_events (id, event_type, tenant_id, action_log_id, linked_object_id, body, insert_instant)
SELECT id, event_type, tenant_id, action_log_id, linked_object_id, body, insert_instant FROM events ORDER BY rowid;
DROP TABLE events;
ALTER TABLE numbered_events RENAME TO events;
-- The log is read, and pruned, by time. Grows at its end.
CREATE INDEX events_insert_instant ON events (insert_instant);

-- The deliveries of an event. Event Ids grow with time, so this grows at its end too. The outbox has no such index:
-- a table that is small by design can be read as a whole.
CREATE INDEX deliveries_event ON deliveries (event_id) WHERE event_id IS NOT NULL;
