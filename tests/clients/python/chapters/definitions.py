"""What can be done to users, and why."""

from support.client import codes, equal, ok, refused


def a_temporal_action_that_prevents_login_is_defined(world):
    definition = {
        **world.templates,
        "name": "Ban",
        "localizedNames": {"de": "Sperre"},
        "temporal": True,
        "preventLogin": True,
        "sendEndEvent": True,
        "includeEmailInEventJSON": True,
        "userEmailingEnabled": True,
    }
    made = ok(world.client.create_user_action({"userAction": definition}))["userAction"]
    equal((made["active"], made["localizedNames"]), (True, {"de": "Sperre"}))
    world.ban = made["id"]


def a_template_in_use_cannot_be_deleted(world):
    template = world.templates["startEmailTemplateId"]
    answer = world.client.delete_email_template(template)
    equal(codes(answer), ["[inUse]emailTemplateId"])


def _create_reason(world, **reason):
    answer = world.client.create_user_action_reason({"userActionReason": reason})
    return ok(answer)["userActionReason"]["id"]


def a_reason_is_created(world):
    texts = {"de": "Werbung"}
    world.reason = _create_reason(world, code="SP", text="Spam", localizedTexts=texts)


def a_reason_is_updated_patched_listed_and_deleted(world):
    client = world.client
    made = _create_reason(world, code="PS", text="Paid Subscription")
    change = {"userActionReason": {"code": "PS", "text": "Paid"}}
    ok(client.update_user_action_reason(made, change))
    german = {"userActionReason": {"localizedTexts": {"de": "Bezahlt"}}}
    patched = ok(client.patch_user_action_reason(made, german))["userActionReason"]
    equal((patched["text"], patched["localizedTexts"]), ("Paid", {"de": "Bezahlt"}))
    found = ok(client.retrieve_user_action_reason(made))["userActionReason"]
    equal(found["code"], "PS")
    reasons = ok(client.retrieve_user_action_reasons())["userActionReasons"]
    equal([reason["text"] for reason in reasons], ["Paid", "Spam"])
    ok(client.delete_user_action_reason(made))
    refused(client.retrieve_user_action_reason(made), 404)


def a_definition_is_updated_patched_with_one_option_more_and_listed(world):
    client = world.client
    survey = {"userAction": {"name": "Survey", "options": [{"name": "Happy"}]}}
    world.survey = ok(client.create_user_action(survey))["userAction"]["id"]
    happy = {"name": "Happy", "localizedNames": {"de": "Zufrieden"}}
    change = {"userAction": {"name": "Satisfaction", "options": [happy]}}
    ok(client.update_user_action(world.survey, change))
    # To a list, a patch of this client appends.
    sad = {"userAction": {"options": [{"name": "Sad"}]}}
    ok(client.patch_user_action(world.survey, sad))
    found = ok(client.retrieve_user_action(world.survey))["userAction"]
    equal(found["name"], "Satisfaction")
    equal([option["name"] for option in found["options"]], ["Happy", "Sad"])
    listed = ok(client.retrieve_user_actions())["userActions"]
    equal([definition["name"] for definition in listed], ["Ban", "Satisfaction"])
    # Without an Id the same method lists.
    equal(len(ok(client.retrieve_user_action())["userActions"]), 2)


def a_definition_that_contradicts_itself_is_refused(world):
    definition = {"name": " ", "preventLogin": True}
    answer = world.client.create_user_action({"userAction": definition})
    expected = ["[blank]userAction.name", "[invalid]userAction.preventLogin"]
    equal(codes(answer), expected)


STEPS = [
    a_temporal_action_that_prevents_login_is_defined,
    a_template_in_use_cannot_be_deleted,
    a_reason_is_created,
    a_reason_is_updated_patched_listed_and_deleted,
    a_definition_is_updated_patched_with_one_option_more_and_listed,
    a_definition_that_contradicts_itself_is_refused,
]
