"""API keys: made with the manager's, which no other key can replace."""

import os

from support.client import Watched, equal, ok, refused


def the_manager_key_makes_a_key_which_is_used_from_here_on(world):
    world.manager = Watched(os.environ["BEADLE_MANAGER_KEY"])
    key = ok(world.manager.create_api_key({"apiKey": {}}))["apiKey"]
    equal(key["keyManager"], False)
    world.client = Watched(key["key"])


def a_key_without_that_right_makes_none(world):
    answer = refused(world.client.create_api_key({"apiKey": {}}), 401)
    equal(answer.content, b"")


def keys_are_retrieved_updated_patched_and_deleted(world):
    manager = world.manager
    made = ok(manager.create_api_key({"apiKey": {"name": "Reporting"}}))["apiKey"]
    found = ok(manager.retrieve_api_key(made["id"]))["apiKey"]
    equal((found["name"], found["key"]), ("Reporting", made["key"]))
    endpoints = {"/api/user-action": ["GET"]}
    change = {"name": "Reports", "permissions": {"endpoints": endpoints}}
    ok(manager.update_api_key(made["id"], {"apiKey": change}))
    note = {"metaData": {"attributes": {"description": "new"}}}
    patched = ok(manager.patch_api_key(made["id"], {"apiKey": note}))["apiKey"]
    equal(patched["permissions"]["endpoints"], endpoints)
    equal(patched["metaData"], note["metaData"])

    limited = Watched(made["key"])
    ok(limited.retrieve_user_actions())
    refused(limited.retrieve_tenants(), 401)
    ok(manager.delete_api_key(made["id"]))
    refused(limited.retrieve_user_actions(), 401)
    refused(manager.retrieve_api_key(made["id"]), 404)


STEPS = [
    the_manager_key_makes_a_key_which_is_used_from_here_on,
    a_key_without_that_right_makes_none,
    keys_are_retrieved_updated_patched_and_deleted,
]
