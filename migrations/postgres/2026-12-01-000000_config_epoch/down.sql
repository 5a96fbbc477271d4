DROP TABLE config_epoch;
DROP FUNCTION raise_config_epoch() CASCADE;
