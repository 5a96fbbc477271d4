-- What a search compares with: the names, folded by the program, since the databases' own ideas of case differ.
ALTER TABLE users ADD COLUMN first_name_normalized TEXT;
ALTER TABLE users ADD COLUMN last_name_normalized TEXT;
ALTER TABLE users ADD COLUMN full_name_normalized TEXT;
UPDATE users SET
    first_name_normalized = lower(first_name),
    last_name_normalized = lower(last_name),
    full_name_normalized = lower(full_name);
CREATE INDEX users_insert_instant ON users (insert_instant, id);
