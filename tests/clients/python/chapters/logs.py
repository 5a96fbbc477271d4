"""What can be looked up afterwards."""

from support.client import codes, equal, ok, refused, until


def each_webhook_is_in_the_log_with_its_attempt(world):
    client, received = world.client, world.receiver.received
    search = {"eventType": "user.action", "eventResult": "Succeeded", "numberOfResults": 100}

    def settled():
        found = ok(client.search_webhook_event_logs({"search": search}))
        logs = found["webhookEventLogs"]
        return logs if len(logs) >= len(received) else None

    event = received[0][0]
    logs = until("the deliveries to be logged", settled)
    entry = next(log for log in logs if log["event"]["event"]["id"] == event["id"])
    log = ok(client.retrieve_webhook_event_log(entry["id"]))["webhookEventLog"]
    equal(log["event"]["event"], event)
    equal((log["successfulAttempts"], log["failedAttempts"]), (1, 0))
    attempt = ok(client.retrieve_webhook_attempt_log(log["attempts"][0]["id"]))
    attempt = attempt["webhookAttemptLog"]
    equal(attempt["attemptResult"], "Success")
    equal(attempt["webhookCallResponse"]["statusCode"], 200)
    equal(attempt["webhookEventLogId"], entry["id"])


def the_audit_log_keeps_what_it_is_told(world):
    client = world.client
    entry = {"insertUser": "admin@piedpiper.example", "message": "Looked into the story"}
    ok(client.create_audit_log({"auditLog": entry}))
    expected = ["[blank]auditLog.insertUser", "[blank]auditLog.message"]
    equal(codes(client.create_audit_log({"auditLog": {}})), expected)
    found = ok(client.search_audit_logs({"search": {"message": "story"}}))
    equal((found["total"], found["auditLogs"][0]["message"]), (1, entry["message"]))
    log = ok(client.retrieve_audit_log(found["auditLogs"][0]["id"]))["auditLog"]
    equal(log["insertUser"], entry["insertUser"])


def the_event_log_tells_of_a_mail_that_could_not_be_written(world):
    client, reader = world.client, world.reader["id"]
    text = "{{date user.data.joined}}"
    parts = ["defaultSubject", "defaultHtmlTemplate", "defaultTextTemplate"]
    template = {"name": "Anniversary", **{part: text for part in parts}}
    made = ok(client.create_email_template({"emailTemplate": template}))["emailTemplate"]
    greet = {
        "name": "Greet",
        "userEmailingEnabled": True,
        "startEmailTemplateId": made["id"],
    }
    greet = ok(client.create_user_action({"userAction": greet}))["userAction"]
    ok(client.patch_user(reader, {"user": {"data": {"joined": "long ago"}}}))
    action = {
        "actioneeUserId": reader,
        "actionerUserId": world.admin["id"],
        "userActionId": greet["id"],
        "emailUser": True,
    }
    action = ok(client.action_user({"action": action}))["action"]
    found = ok(client.search_event_logs({"search": {"message": action["id"]}}))
    equal((found["total"], found["eventLogs"][0]["type"]), (1, "Error"))
    log = ok(client.retrieve_event_log(found["eventLogs"][0]["id"]))["eventLog"]
    assert "Anniversary" in log["message"], log
    refused(client.retrieve_event_log(2_000_000_000), 404)


STEPS = [
    each_webhook_is_in_the_log_with_its_attempt,
    the_audit_log_keeps_what_it_is_told,
    the_event_log_tells_of_a_mail_that_could_not_be_written,
]
