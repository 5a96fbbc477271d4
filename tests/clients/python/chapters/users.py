"""Users: an administrator who acts, and a reader who is acted upon."""

from support.client import codes, equal, ok, refused

PASSWORD = "a long enough password"


def _create(world, **user):
    user["password"] = PASSWORD
    return ok(world.client.create_user({"user": user}))["user"]


def two_users_are_created_one_of_whom_reads_german(world):
    world.admin = _create(world, email="admin@piedpiper.example")
    world.reader = _create(
        world,
        email="Reader@piedpiper.example",
        fullName="Lea Leser",
        preferredLanguages=["de"],
    )
    equal(world.reader["email"], "reader@piedpiper.example")
    equal(world.reader["tenantId"], world.tenant)
    assert "password" not in world.reader


def the_address_is_taken(world):
    user = {"email": "READER@piedpiper.example", "password": PASSWORD}
    equal(codes(world.client.create_user({"user": user})), ["[duplicate]user.email"])


def a_user_is_found_by_id_address_name_and_either(world):
    client = world.client
    world.guest = _create(world, username="Guest")
    guest, reader = world.guest["id"], world.reader["id"]
    for answer, expected in [
        (client.retrieve_user(guest), guest),
        (client.retrieve_user_by_username("guest"), guest),
        (client.retrieve_user_by_email("reader@piedpiper.example"), reader),
        (client.retrieve_user_by_login_id("reader@piedpiper.example"), reader),
        (client.retrieve_user_by_login_id("GUEST"), guest),
    ]:
        equal(ok(answer)["user"]["id"], expected)
    refused(client.retrieve_user_by_email("nobody@piedpiper.example"), 404)


def a_user_is_updated_and_patched(world):
    client, guest = world.client, world.guest["id"]
    user = {"username": "Guest", "fullName": "A Guest", "data": {"seat": 1}}
    equal(ok(client.update_user(guest, {"user": user}))["user"]["fullName"], "A Guest")
    patched = ok(client.patch_user(guest, {"user": {"data": {"row": 2}}}))["user"]
    equal((patched["fullName"], patched["data"]["row"]), ("A Guest", 2))


def login_knows_who_is_there_who_is_locked_and_who_is_a_stranger(world):
    client, guest = world.client, world.guest["id"]

    def login(password):
        return client.login({"loginId": "guest", "password": password})

    equal(ok(login(PASSWORD))["user"]["id"], guest)
    equal(refused(login("wrong password"), 404), None)
    equal(codes(client.login({})), ["[blank]loginId", "[blank]password"])
    ok(client.deactivate_user(guest))
    equal(refused(login(PASSWORD), 423).content, b"")
    equal(ok(client.reactivate_user(guest))["user"]["active"], True)
    ok(login(PASSWORD))


STEPS = [
    two_users_are_created_one_of_whom_reads_german,
    the_address_is_taken,
    a_user_is_found_by_id_address_name_and_either,
    a_user_is_updated_and_patched,
    login_knows_who_is_there_who_is_locked_and_who_is_a_stranger,
]
