DROP INDEX emails_without_user;
DROP INDEX events_without_log;
DROP INDEX suppressions_delivery;
DROP INDEX suppressions_expiration;
DROP INDEX suppressions_address;
ALTER TABLE outbox DROP COLUMN erased;
DROP TABLE erasures;
