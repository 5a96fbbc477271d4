DROP TABLE suppressions;
ALTER TABLE emails DROP COLUMN preferred_languages;
