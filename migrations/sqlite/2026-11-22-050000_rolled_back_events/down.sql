ALTER TABLE events DROP COLUMN rolled_back;
