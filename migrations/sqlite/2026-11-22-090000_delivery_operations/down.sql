DROP INDEX deliveries_undelivered;
DROP INDEX emails_user;
DROP INDEX emails_action_log;
DROP INDEX events_action_log;
