"""Tenants: one for the story, with its own mail server and the event switched on."""

from support.client import codes, equal, ok, refused


def a_tenant_is_created_and_everything_below_belongs_to_it(world):
    tenant = ok(world.client.create_tenant({"tenant": {"name": "Pied Piper"}}))["tenant"]
    world.client.set_tenant_id(tenant["id"])
    world.tenant = tenant["id"]


def a_patch_gives_it_a_mail_server_and_switches_the_event_on(world):
    change = {
        "emailConfiguration": {
            "host": "127.0.0.1",
            "port": world.mailbox.port,
            "defaultFromEmail": "news@piedpiper.example",
            "defaultFromName": "Pied Piper",
        },
        "eventConfiguration": {
            "events": {"user.action": {"enabled": True, "transactionType": "None"}}
        },
    }
    tenant = ok(world.client.patch_tenant(world.tenant, {"tenant": change}))["tenant"]
    equal(tenant["name"], "Pied Piper")
    equal(tenant["emailConfiguration"]["port"], world.mailbox.port)
    equal(tenant["eventConfiguration"]["events"]["user.action"]["enabled"], True)
    equal(ok(world.client.retrieve_tenant(world.tenant))["tenant"], tenant)


def tenants_are_listed_searched_updated_and_deleted(world):
    client = world.client

    def make(name):
        return ok(client.create_tenant({"tenant": {"name": name}}))["tenant"]["id"]

    hooli, raviga = make("Hooli"), make("Raviga")
    again = client.create_tenant({"tenant": {"name": "hooli"}})
    equal(codes(again), ["[duplicate]tenant.name"])
    listed = {tenant["id"] for tenant in ok(client.retrieve_tenants())["tenants"]}
    assert {world.tenant, hooli, raviga} <= listed, listed
    updated = ok(client.update_tenant(hooli, {"tenant": {"name": "Hooli XYZ"}}))
    equal(updated["tenant"]["name"], "Hooli XYZ")
    found = ok(client.search_tenants({"search": {"name": "hooli*"}}))
    equal((found["total"], found["tenants"][0]["id"]), (1, hooli))
    ok(client.delete_tenant(hooli))
    ok(client.delete_tenant_async(raviga), 202)
    refused(client.retrieve_tenant(hooli), 404)


STEPS = [
    a_tenant_is_created_and_everything_below_belongs_to_it,
    a_patch_gives_it_a_mail_server_and_switches_the_event_on,
    tenants_are_listed_searched_updated_and_deleted,
]
