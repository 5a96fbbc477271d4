-- Some receivers were asked about this event, and what it tells of did not happen after all. It stands in the log
-- and is delivered to nobody.
ALTER TABLE events ADD COLUMN rolled_back BOOLEAN NOT NULL DEFAULT 0;
