-- What a search over the logs of all users needs: the newest first, of a tenant or of an actioner.
CREATE INDEX action_logs_tenant ON action_logs (tenant_id, insert_instant);
CREATE INDEX action_logs_actioner ON action_logs (actioner_user_id, insert_instant);
