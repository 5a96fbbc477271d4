"""Keys that sign webhooks, and the set that receivers verify with."""

from support.client import equal, ok, refused

SECRET = "a secret of a receiver, long enough for HS256"


def a_key_is_generated_and_imported_and_shows_no_secret(world):
    client = world.client
    elliptic = {"key": {"name": "Made here", "algorithm": "ES256"}}
    shared = {"key": {"name": "Brought along", "algorithm": "HS256", "secret": SECRET}}
    world.public = ok(client.generate_key(elliptic))["key"]
    world.secret = ok(client.import_key(shared))["key"]
    assert "BEGIN PUBLIC KEY" in world.public["publicKey"]
    listed = {key["id"] for key in ok(client.retrieve_keys())["keys"]}
    for made, kind in [(world.public, "EC"), (world.secret, "HMAC")]:
        found = ok(client.retrieve_key(made["id"]))["key"]
        equal(found["type"], kind)
        assert "secret" not in found and "privateKey" not in found, found
        assert made["id"] in listed


def the_public_set_holds_what_is_public_until_it_is_deleted(world):
    client = world.client

    def published():
        return [key["kid"] for key in ok(client.retrieve_json_web_key_set())["keys"]]

    assert world.public["kid"] in published()
    assert world.secret["kid"] not in published()
    for made in [world.public, world.secret]:
        ok(client.delete_key(made["id"]))
        refused(client.retrieve_key(made["id"]), 404)
    assert world.public["kid"] not in published()


STEPS = [
    a_key_is_generated_and_imported_and_shows_no_secret,
    the_public_set_holds_what_is_public_until_it_is_deleted,
]
