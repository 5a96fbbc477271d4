"""Email templates: one per phase, with a German subject."""

from support.client import codes, equal, ok, refused

PHASES = ["start", "modify", "cancel", "end"]


def _texts(phase, name=None):
    return {
        "name": name or f"Subscription {phase}",
        "defaultSubject": f"{phase}: {{{{event.localizedAction}}}}",
        "defaultHtmlTemplate": "<p>{{user.fullName}}, {{event.localizedAction}}</p>",
        "defaultTextTemplate": "{{user.fullName}}, {{event.localizedAction}}",
        "localizedSubjects": {"de": f"Betreff {phase}: {{{{event.localizedAction}}}}"},
    }


def _create(world, template):
    answer = world.client.create_email_template({"emailTemplate": template})
    return ok(answer)["emailTemplate"]


def a_template_for_each_phase_is_created_with_german_subjects(world):
    world.templates = {}
    for phase in PHASES:
        made = _create(world, _texts(phase))
        equal(made["localizedHtmlTemplates"], {})
        world.templates[f"{phase}EmailTemplateId"] = made["id"]
    listed = ok(world.client.retrieve_email_templates())["emailTemplates"]
    equal(len(listed), len(PHASES))


def a_template_is_retrieved_updated_patched_searched_and_deleted(world):
    client = world.client
    template = _create(world, _texts("draft", "Draft"))["id"]
    second = {"emailTemplate": _texts("draft", "Second draft")}
    ok(client.update_email_template(template, second))
    french = {"emailTemplate": {"localizedSubjects": {"fr": "Sujet"}}}
    ok(client.patch_email_template(template, french))
    found = ok(client.retrieve_email_template(template))["emailTemplate"]
    equal(found["name"], "Second draft")
    equal(list(found["localizedSubjects"]), ["de", "fr"])
    found = ok(client.search_email_templates({"search": {"name": "*draft"}}))
    equal((found["total"], found["emailTemplates"][0]["id"]), (1, template))
    ok(client.delete_email_template(template))
    refused(client.retrieve_email_template(template), 404)


def a_template_that_does_not_parse_is_refused(world):
    broken = {**_texts("broken"), "defaultSubject": "{{#if}"}
    answer = world.client.create_email_template({"emailTemplate": broken})
    equal(codes(answer), ["[invalid]emailTemplate.defaultSubject"])


def a_preview_shows_a_template_in_a_language_and_what_is_wrong_with_it(world):
    def preview(template):
        request = {"emailTemplate": template, "locale": "de"}
        return ok(world.client.retrieve_email_template_preview(request))

    shown = preview(_texts("start"))
    assert shown["email"]["subject"].startswith("Betreff start: "), shown
    equal(shown["errors"], {"fieldErrors": {}, "generalErrors": []})
    broken = preview({**_texts("start"), "defaultTextTemplate": "{{#if}"})
    fields = list(broken["errors"]["fieldErrors"])
    equal(fields, ["emailTemplate.defaultTextTemplate"])


def a_template_is_sent_to_a_user_and_to_an_address(world):
    newsletter = {
        "name": "Newsletter",
        "defaultSubject": "News of {{requestData.month}}",
        "defaultHtmlTemplate": "<p>News</p>",
        "defaultTextTemplate": "News",
        "localizedSubjects": {"de": "Neues im {{requestData.month}}"},
    }
    template = _create(world, newsletter)["id"]
    request = {
        "userIds": [world.reader["id"]],
        "toAddresses": [{"address": "press@example.com"}],
        "requestData": {"month": "May"},
    }
    ok(world.client.send_email(template, request), 202)
    equal(world.mailbox.mail("Neues im May")[0], [world.reader["email"]])
    equal(world.mailbox.mail("News of May")[0], ["press@example.com"])
    equal(codes(world.client.send_email(template, {})), ["[missing]userIds"])


STEPS = [
    a_template_for_each_phase_is_created_with_german_subjects,
    a_template_is_retrieved_updated_patched_searched_and_deleted,
    a_template_that_does_not_parse_is_refused,
    a_preview_shows_a_template_in_a_language_and_what_is_wrong_with_it,
    a_template_is_sent_to_a_user_and_to_an_address,
]
