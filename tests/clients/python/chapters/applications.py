"""Applications, and who is registered for them."""

from support.client import codes, equal, ok, refused

from .users import PASSWORD


def _names(answer):
    return [application["name"] for application in ok(answer)["applications"]]


def an_application_is_created_updated_patched_and_listed(world):
    client = world.client
    roles = [{"name": "editor"}]
    forum = {"application": {"name": "Forum", "roles": roles}}
    made = world.application = ok(client.create_application(forum))["application"]["id"]
    blog = {"application": {"name": "Blog", "roles": roles, "data": {"colour": "red"}}}
    equal(ok(client.update_application(made, blog))["application"]["name"], "Blog")
    size = {"application": {"data": {"size": 2}}}
    patched = ok(client.patch_application(made, size))["application"]
    equal(patched["data"], {"colour": "red", "size": 2})
    found = ok(client.retrieve_application(made))["application"]
    equal((found["active"], found["tenantId"]), (True, world.tenant))
    equal(found["roles"][0]["name"], "editor")
    assert "Blog" in _names(client.retrieve_applications())
    empty = client.create_application({"application": {}})
    equal(codes(empty), ["[blank]application.name"])


def login_tells_who_is_registered_for_the_application(world):
    client, guest, application = world.client, world.guest["id"], world.application

    def login():
        request = {"loginId": "guest", "password": PASSWORD}
        return client.login({**request, "applicationId": application})

    ok(login(), 202)
    request = {"registration": {"applicationId": application, "roles": ["editor"]}}
    made = ok(client.register(request, guest))["registration"]
    equal((made["applicationId"], made["roles"]), (application, ["editor"]))
    found = ok(client.retrieve_registration(guest, application))["registration"]
    equal(found["id"], made["id"])
    ok(login())
    ok(client.delete_registration(guest, application))
    refused(client.retrieve_registration(guest, application), 404)


def an_application_is_deactivated_reactivated_and_deleted(world):
    client, made = world.client, world.application
    ok(client.deactivate_application(made))
    equal(_names(client.retrieve_inactive_applications()), ["Blog"])
    assert "Blog" not in _names(client.retrieve_applications())
    equal(ok(client.reactivate_application(made))["application"]["active"], True)
    ok(client.delete_application(made))
    refused(client.retrieve_application(made), 404)


STEPS = [
    an_application_is_created_updated_patched_and_listed,
    login_tells_who_is_registered_for_the_application,
    an_application_is_deactivated_reactivated_and_deleted,
]
