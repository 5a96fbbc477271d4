-- The configuration as a whole has one number, which each change of any of it raises. Whoever remembers rows of these
-- tables remembers the number that they go with, and asks for it in the transaction that writes.
CREATE TABLE config_epoch (
    id SMALLINT NOT NULL,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);
INSERT INTO config_epoch (id, epoch) VALUES (1, 1);

CREATE TRIGGER tenants_insert_config_epoch AFTER INSERT ON tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER tenants_update_config_epoch AFTER UPDATE ON tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER tenants_delete_config_epoch AFTER DELETE ON tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER api_keys_insert_config_epoch AFTER INSERT ON api_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER api_keys_update_config_epoch AFTER UPDATE ON api_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER api_keys_delete_config_epoch AFTER DELETE ON api_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_actions_insert_config_epoch AFTER INSERT ON user_actions BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_actions_update_config_epoch AFTER UPDATE ON user_actions BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_actions_delete_config_epoch AFTER DELETE ON user_actions BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_action_reasons_insert_config_epoch AFTER INSERT ON user_action_reasons BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_action_reasons_update_config_epoch AFTER UPDATE ON user_action_reasons BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER user_action_reasons_delete_config_epoch AFTER DELETE ON user_action_reasons BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhooks_insert_config_epoch AFTER INSERT ON webhooks BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhooks_update_config_epoch AFTER UPDATE ON webhooks BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhooks_delete_config_epoch AFTER DELETE ON webhooks BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_tenants_insert_config_epoch AFTER INSERT ON webhook_tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_tenants_update_config_epoch AFTER UPDATE ON webhook_tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_tenants_delete_config_epoch AFTER DELETE ON webhook_tenants BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_secrets_insert_config_epoch AFTER INSERT ON webhook_secrets BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_secrets_update_config_epoch AFTER UPDATE ON webhook_secrets BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER webhook_secrets_delete_config_epoch AFTER DELETE ON webhook_secrets BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER signing_keys_insert_config_epoch AFTER INSERT ON signing_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER signing_keys_update_config_epoch AFTER UPDATE ON signing_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
CREATE TRIGGER signing_keys_delete_config_epoch AFTER DELETE ON signing_keys BEGIN UPDATE config_epoch SET epoch = epoch + 1; END;
