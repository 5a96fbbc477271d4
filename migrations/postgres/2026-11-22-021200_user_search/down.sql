DROP INDEX users_insert_instant;
ALTER TABLE users DROP COLUMN full_name_key;
ALTER TABLE users DROP COLUMN last_name_key;
ALTER TABLE users DROP COLUMN first_name_key;
