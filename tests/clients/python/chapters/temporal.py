"""A ban from its start over a change to its end, and another that is canceled."""

import time

from support.client import codes, equal, now, ok, refused, until

from .users import PASSWORD

# The largest instant.
FOR_EVER = 9223372036854775807


def _take(world, **more):
    action = {
        "actioneeUserId": world.reader["id"],
        "actionerUserId": world.admin["id"],
        "userActionId": world.ban,
        "reasonId": world.reason,
        "emailUser": True,
        **more,
    }
    request = {"broadcast": True, "action": action}
    return ok(world.client.action_user(request))["action"]


def _ids(answer):
    return [action["id"] for action in ok(answer)["actions"]]


def _login(world):
    request = {"loginId": world.reader["email"], "password": PASSWORD}
    return world.client.login(request)


def a_ban_starts_and_has_its_german_name_in_the_webhook_and_in_the_mail(world):
    ban = world.first = _take(world, comment="first", expiry=now() + 10_000)
    equal((ban["name"], ban["localizedName"]), ("Ban", "Sperre"))
    equal((ban["reasonCode"], ban["localizedReason"]), ("SP", "Werbung"))
    equal((ban["endEventSent"], ban.get("history")), (False, None))
    event = world.receiver.event(ban["id"], "start")
    equal((event["action"], event["localizedAction"]), ("Ban", "Sperre"))
    equal((event["emailedUser"], event["tenantId"]), (True, world.tenant))
    equal(event["email"]["subject"], "Betreff start: Sperre")
    equal(world.receiver.received[-1][1]["x-story"], "python")
    recipients, message = world.mailbox.mail("Betreff start: Sperre")
    equal(recipients, ["reader@piedpiper.example"])
    equal(message.get_content_type(), "multipart/alternative")


def the_ban_is_active_prevents_login_and_says_so(world):
    client, reader, ban = world.client, world.reader["id"], world.first["id"]
    equal(_ids(client.retrieve_active_actions(reader)), [ban])
    equal(_ids(client.retrieve_actions_preventing_login(reader)), [ban])
    equal(_ids(client.retrieve_inactive_actions(reader)), [])
    actions = refused(_login(world), 409).json()["actions"]
    equal([(a["actionId"], a["name"]) for a in actions], [(world.ban, "Ban")])


def a_change_keeps_what_it_replaced(world):
    ban = world.first["id"]
    action = {
        "actionerUserId": world.admin["id"],
        "comment": "second",
        "emailUser": True,
        "expiry": now() + 3_000,
    }
    request = {"broadcast": True, "action": action}
    changed = ok(world.client.modify_action(ban, request))["action"]
    equal(changed["expiry"], action["expiry"])
    items = changed["history"]["historyItems"]
    equal([item["comment"] for item in items], ["first"])
    world.receiver.event(ban, "modify")
    world.mailbox.mail("Betreff modify: Sperre")


def the_ban_ends_by_itself_and_login_works_again(world):
    client, reader, ban = world.client, world.reader["id"], world.first["id"]
    world.receiver.event(ban, "end")
    world.mailbox.mail("Betreff end: Sperre")
    until(
        "the end to be noted",
        lambda: ok(client.retrieve_action(ban))["action"]["endEventSent"],
    )
    equal(_ids(client.retrieve_inactive_actions(reader)), [ban])
    equal(_ids(client.retrieve_active_actions(reader)), [])
    equal(ok(_login(world))["user"]["id"], reader)


def a_ban_without_an_end_is_canceled_once_and_does_not_end_later(world):
    client = world.client
    soon = _take(world, comment="third", expiry=now() + 4_000)
    eternal = _take(world, expiry=FOR_EVER)
    equal(eternal["expiry"], FOR_EVER)
    action = {"actionerUserId": world.admin["id"], "comment": "fourth", "emailUser": True}
    request = {"broadcast": True, "action": action}
    for ban in [soon["id"], eternal["id"]]:
        log = ok(client.cancel_action(ban, request))["action"]
        assert log["expiry"] <= now() + 1_000, log
        equal((log["comment"], log["endEventSent"]), ("fourth", False))
        world.receiver.event(ban, "cancel")
        equal(codes(client.cancel_action(ban, request)), ["[invalid]actionId"])
    world.mailbox.mail("Betreff cancel: Sperre")
    time.sleep((soon["expiry"] - now() + 2_000) / 1_000)
    phases = [event["phase"] for event in world.receiver.events(soon["id"])]
    equal(sorted(phases), ["cancel", "start"])
    phases = [event["phase"] for event in world.receiver.events(world.first["id"])]
    equal(phases, ["start", "modify", "end"])


STEPS = [
    a_ban_starts_and_has_its_german_name_in_the_webhook_and_in_the_mail,
    the_ban_is_active_prevents_login_and_says_so,
    a_change_keeps_what_it_replaced,
    the_ban_ends_by_itself_and_login_works_again,
    a_ban_without_an_end_is_canceled_once_and_does_not_end_later,
]
