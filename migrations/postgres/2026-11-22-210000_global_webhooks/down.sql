DROP INDEX webhooks_global;
