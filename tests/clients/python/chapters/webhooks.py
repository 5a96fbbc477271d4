"""Webhooks: a global one that stays, and another to play with."""

from support.client import codes, equal, ok, refused

TIMEOUTS = {"connectTimeout": 1000, "readTimeout": 2000}


def a_global_webhook_is_registered_for_the_event(world):
    webhook = {
        **TIMEOUTS,
        "url": world.receiver.url,
        "global": True,
        "eventsEnabled": {"user.action": True},
        "headers": {"X-Story": "python"},
    }
    made = ok(world.client.create_webhook({"webhook": webhook}))["webhook"]
    world.receiver.trust(made["signingSecret"])
    found = ok(world.client.retrieve_webhook(made["id"]))["webhook"]
    equal(found["url"], world.receiver.url)
    assert "signingSecret" not in found


def a_webhook_is_updated_patched_listed_searched_and_deleted(world):
    client = world.client
    webhook = {**TIMEOUTS, "url": "https://dead.example/hook", "description": "Dead end"}
    made = ok(client.create_webhook({"webhook": webhook}))["webhook"]["id"]
    change = {"webhook": {**webhook, "readTimeout": 9000}}
    equal(ok(client.update_webhook(made, change))["webhook"]["readTimeout"], 9000)
    owner = {"webhook": {"data": {"owner": "me"}}}
    patched = ok(client.patch_webhook(made, owner))["webhook"]
    equal((patched["readTimeout"], patched["data"]), (9000, {"owner": "me"}))
    equal(len(ok(client.retrieve_webhooks())["webhooks"]), 2)

    search = {"search": {"url": "*DEAD*", "orderBy": "url ASC"}}
    found = ok(client.search_webhooks(search))
    equal((found["total"], found["webhooks"][0]["id"]), (1, made))
    # The client writes these two numbers as the words `true` and `false`.
    found = ok(client.search_webhooks_by_parameters("dead", 1, None, 0))
    equal((found["total"], found["webhooks"][0]["id"]), (1, made))

    ok(client.delete_webhook(made))
    refused(client.retrieve_webhook(made), 404)


def a_webhook_without_what_it_needs_is_refused_with_all_that_is_missing(world):
    expected = [
        "[blank]webhook.url",
        "[missing]webhook.connectTimeout",
        "[missing]webhook.readTimeout",
    ]
    equal(codes(world.client.create_webhook({"webhook": {}})), expected)


STEPS = [
    a_global_webhook_is_registered_for_the_event,
    a_webhook_is_updated_patched_listed_searched_and_deleted,
    a_webhook_without_what_it_needs_is_refused_with_all_that_is_missing,
]
