DROP INDEX users_insert_instant;
ALTER TABLE users DROP COLUMN full_name_normalized;
ALTER TABLE users DROP COLUMN last_name_normalized;
ALTER TABLE users DROP COLUMN first_name_normalized;
