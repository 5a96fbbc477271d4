"""An action that every webhook has to agree to: one that objects keeps it from happening."""

import time

from support.client import equal, now, ok, refused


def _take(world):
    action = {
        "actioneeUserId": world.reader["id"],
        "actionerUserId": world.admin["id"],
        "userActionId": world.ban,
        "emailUser": True,
        "expiry": now() + 600_000,
    }
    return world.client.action_user({"broadcast": True, "action": action})


def _set_type(world, transaction_type):
    change = {"userAction": {"transactionType": transaction_type}}
    definition = ok(world.client.patch_user_action(world.ban, change))["userAction"]
    equal(definition["transactionType"], transaction_type)


def _actions(world):
    return ok(world.client.retrieve_actions(world.reader["id"]))["actions"]


def a_ban_that_a_webhook_objects_to_does_not_happen_and_nobody_is_mailed(world):
    _set_type(world, "AbsoluteMajority")
    before, mails = _actions(world), len(world.mailbox.mails)
    world.receiver.objects = True
    errors = refused(_take(world), 504).json()["generalErrors"]
    equal([error["code"] for error in errors], ["[WebhookTransactionException]"])
    equal(_actions(world), before)
    time.sleep(1.5)
    equal(len(world.mailbox.mails), mails)
    found = ok(world.client.search_webhook_event_logs({"search": {"eventResult": "Failed"}}))
    log = found["webhookEventLogs"][0]
    equal((found["total"], log["successfulAttempts"], log["failedAttempts"]), (1, 0, 1))


def a_ban_that_it_agrees_to_has_reached_it_when_the_answer_comes(world):
    world.receiver.objects = False
    ban = ok(_take(world))["action"]["id"]
    request = {"broadcast": True, "action": {"actionerUserId": world.admin["id"]}}
    ok(world.client.cancel_action(ban, request))
    phases = [event["phase"] for event in world.receiver.events(ban)]
    equal(phases, ["start", "cancel"])
    _set_type(world, "None")


STEPS = [
    a_ban_that_a_webhook_objects_to_does_not_happen_and_nobody_is_mailed,
    a_ban_that_it_agrees_to_has_reached_it_when_the_answer_comes,
]
