"""A survey: neither temporal nor mailed, but with options to choose from."""

from support.client import codes, equal, now, ok, refused


def _answer(world, option):
    action = {
        "actioneeUserId": world.guest["id"],
        "actionerUserId": world.admin["id"],
        "userActionId": world.survey,
        "option": option,
    }
    return world.client.action_user({"broadcast": True, "action": action})


def _logs(world):
    return ok(world.client.retrieve_actions(world.guest["id"]))["actions"]


def only_an_option_of_the_definition_is_accepted(world):
    equal(codes(_answer(world, "Furious")), ["[invalid]action.option"])
    equal(codes(world.client.action_user({})), ["[missing]action"])


def an_answer_is_recorded_is_never_active_and_cannot_be_changed(world):
    log = ok(_answer(world, "Happy"))["action"]
    equal(log["option"], "Happy")
    assert "expiry" not in log and "endEventSent" not in log, log
    equal(world.receiver.event(log["id"], "start")["option"], "Happy")
    inactive = ok(world.client.retrieve_inactive_actions(world.guest["id"]))["actions"]
    equal([action["id"] for action in inactive], [log["id"]])
    change = {"actionerUserId": world.admin["id"], "expiry": now() + 10_000}
    answer = world.client.modify_action(log["id"], {"action": change})
    equal(codes(answer), ["[invalid]actionId"])


def a_deactivated_definition_is_not_applied_but_keeps_its_logs(world):
    ok(world.client.deactivate_user_action(world.survey))
    inactive = ok(world.client.retrieve_inactive_user_actions())["userActions"]
    equal([definition["id"] for definition in inactive], [world.survey])
    equal(codes(_answer(world, "Happy")), ["[inactive]action.userActionId"])
    equal(len(_logs(world)), 1)


def a_reactivated_one_is_applied_again(world):
    definition = ok(world.client.reactivate_user_action(world.survey))["userAction"]
    equal(definition["active"], True)
    ok(_answer(world, "Sad"))
    equal(len(_logs(world)), 2)


def a_deleted_one_takes_its_logs_with_it(world):
    ok(world.client.delete_user_action(world.survey))
    refused(world.client.retrieve_user_action(world.survey), 404)
    equal(_logs(world), [])


STEPS = [
    only_an_option_of_the_definition_is_accepted,
    an_answer_is_recorded_is_never_active_and_cannot_be_changed,
    a_deactivated_definition_is_not_applied_but_keeps_its_logs,
    a_reactivated_one_is_applied_again,
    a_deleted_one_takes_its_logs_with_it,
]
