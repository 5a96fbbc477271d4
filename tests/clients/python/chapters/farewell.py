"""What goes, goes with all that belongs to it."""

from support.client import equal, ok, refused


def a_deleted_definition_leaves_nothing_of_itself_at_its_users(world):
    ok(world.client.delete_user_action(world.ban))
    left = ok(world.client.retrieve_actions(world.reader["id"]))["actions"]
    equal([log for log in left if log["userActionId"] == world.ban], [])


def a_deleted_user_is_gone_and_so_are_the_logs(world):
    reader = world.reader["id"]
    ok(world.client.delete_user(reader))
    refused(world.client.retrieve_user(reader), 404)
    refused(world.client.retrieve_actions(reader), 404)


def the_tenant_goes_with_everybody_in_it(world):
    world.client.set_tenant_id(None)
    ok(world.client.delete_tenant(world.tenant))
    refused(world.client.retrieve_user(world.admin["id"]), 404)


STEPS = [
    a_deleted_definition_leaves_nothing_of_itself_at_its_users,
    a_deleted_user_is_gone_and_so_are_the_logs,
    the_tenant_goes_with_everybody_in_it,
]
