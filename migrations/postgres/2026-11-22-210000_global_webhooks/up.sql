-- Each batch of actions asks for the webhooks of all tenants: not at the price of reading those of every other tenant.
CREATE INDEX webhooks_global ON webhooks (id) WHERE global AND user_action_enabled;
