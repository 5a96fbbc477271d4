-- How a destination (a webhook, or a mail server) fares, known to all workers. A destination that is plainly healthy and has no rate
-- limit has no row. No foreign key: not every destination is a webhook.
CREATE TABLE destination_states (
    destination BLOB NOT NULL,
    -- Nothing but failures since then, and how many in a row.
    failing_since BIGINT,
    failures INTEGER NOT NULL,
    -- The peer asked to be left alone until then, and how often in a row it did.
    throttled_until BIGINT,
    throttles INTEGER NOT NULL,
    -- `Closed`, `Open` until an instant, or `HalfOpen`: one probe is on its way until then at most.
    circuit TEXT NOT NULL,
    circuit_until BIGINT,
    circuit_opened INTEGER NOT NULL,
    -- When the next request would come if all came evenly: microseconds since the epoch, 0 before the first.
    theoretical_arrival_micros BIGINT NOT NULL,
    disabled_instant BIGINT,
    disabled_reason TEXT,
    PRIMARY KEY (destination)
);

-- 0 fresh, 1 tried before, 2 parked behind a predecessor. A retry never stands between a claim and what is fresh.
ALTER TABLE outbox ADD COLUMN priority SMALLINT NOT NULL DEFAULT 0;
-- What arrives in order, and where it stands in it.
ALTER TABLE outbox ADD COLUMN order_key BLOB;
ALTER TABLE outbox ADD COLUMN sequence BIGINT;
-- Attempts made before the schedule last began anew, as after a replay.
ALTER TABLE outbox ADD COLUMN base_attempt INTEGER NOT NULL DEFAULT 0;

-- The claim walks this: kind, then destination by destination, its fresh rows before the others, then what is due first.
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (kind, destination, priority, due_at);
CREATE INDEX outbox_order ON outbox (destination, order_key, sequence) WHERE order_key IS NOT NULL;
-- Look-ups by what is delivered must not read a backlog. Ids grow with time, so these grow at their ends.
CREATE INDEX outbox_event ON outbox (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX outbox_email ON outbox (email_id) WHERE email_id IS NOT NULL;
CREATE INDEX deliveries_email ON deliveries (email_id) WHERE email_id IS NOT NULL;
CREATE INDEX deliveries_destination ON deliveries (destination, insert_instant);
