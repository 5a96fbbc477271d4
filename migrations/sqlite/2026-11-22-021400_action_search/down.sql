DROP INDEX action_logs_actioner;
DROP INDEX action_logs_tenant;
