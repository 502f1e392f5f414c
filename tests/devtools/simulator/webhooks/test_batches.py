"""The simulator takes batches in each provider's form, within its limits, and reports each recipient."""

import itertools
import json

import pytest
import requests

from tests.devtools.simulator.requests_of import CREDENTIALS
from tests.devtools.simulator.webhooks.reported import settled

PATHS = {"sendgrid": "/v3/mail/send", "ses": "/v2/email/outbound-bulk-emails", "postmark": "/email/batch"}
MOST = {"sendgrid": 1000, "ses": 50, "postmark": 500}
OURS = {
    "sendgrid": lambda event: event["mailroom_message_id"],
    "ses": lambda event: event["mail"]["tags"]["mailroom_message_id"][0],
    "postmark": lambda event: event["Metadata"]["mailroom_message_id"],
}


def sendgrid_batch(*people, **changes):
    return {
        "from": {"email": "shop@example.com"},
        "subject": "Hi -name-",
        "content": [{"type": "text/plain", "value": "Hi -name-"}],
        "personalizations": [
            {
                "to": [{"email": to}],
                "substitutions": {"-name-": name},
                "custom_args": {"mailroom_message_id": name},
                **changes,
            }
            for name, to in people
        ],
    }


def ses_batch(*people, **changes):
    template = {"TemplateContent": {"Subject": "Hi {{name}}", "Text": "Hi {{ name }}"}, "TemplateData": "{}"}
    return {
        "FromEmailAddress": "shop@example.com",
        "DefaultContent": {"Template": template},
        "BulkEmailEntries": [
            {
                "Destination": {"ToAddresses": [to]},
                "ReplacementEmailContent": {
                    "ReplacementTemplate": {"ReplacementTemplateData": json.dumps({"name": name})}
                },
                "ReplacementTags": [{"Name": "mailroom_message_id", "Value": name}],
                **changes,
            }
            for name, to in people
        ],
    }


def postmark_batch(*people, **changes):
    return [
        {
            "From": "shop@example.com",
            "To": to,
            "Subject": f"Hi {name}",
            "TextBody": f"Hi {name}",
            "Metadata": {"mailroom_message_id": name},
            **changes,
        }
        for name, to in people
    ]


BODIES = {"sendgrid": sendgrid_batch, "ses": ses_batch, "postmark": postmark_batch}


def post(server, provider, body):
    return requests.post(server.url + PATHS[provider], json=body, headers=CREDENTIALS[provider], timeout=20)


@pytest.mark.parametrize("provider", PATHS)
def test_each_recipient_has_an_email_an_outcome_and_reports(server, site, provider):
    people = [("m-1", "ada@example.com"), ("m-2", "bounce@example.com")]
    post(server, provider, BODIES[provider](*people)).raise_for_status()
    entries = server.messages(limit="2", bodies="1")[::-1]
    assert [entry["to"] for entry in entries] == ["ada@example.com", "bounce@example.com"]
    assert [(entry["subject"], entry["text"]) for entry in entries] == [("Hi m-1", "Hi m-1"), ("Hi m-2", "Hi m-2")]
    assert [entry["metadata"]["mailroom_message_id"] for entry in entries] == ["m-1", "m-2"]
    assert [entry["outcome"] for entry in entries] == ["delivered", "bounced"]
    (call,) = server.calls(limit="1")
    assert [metadata["mailroom_message_id"] for metadata in call["batch"]] == ["m-1", "m-2"]
    assert call["emails"] == [entry["seq"] for entry in entries]
    settled(server)
    assert {OURS[provider](event) for event in site.events(provider)} == {"m-1", "m-2"}


@pytest.mark.parametrize("provider", PATHS)
def test_batch_beyond_the_limit_is_refused(server, provider):
    people = [(f"m-{number}", f"ada{number}@example.com") for number in range(MOST[provider] + 1)]
    before = server.stats()["accepted"]
    assert post(server, provider, BODIES[provider](*people)).status_code in {400, 422}
    assert server.stats()["accepted"] == before


def test_invalid_recipient_refuses_a_whole_call_of_sendgrid(server):
    before = server.stats()["accepted"]
    answer = post(server, "sendgrid", sendgrid_batch(("m-1", "ada@example.com"), ("m-2", "invalid@example.com")))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "personalizations.1.to.0.email")
    assert server.stats()["accepted"] == before


def test_substitutions_of_sendgrid_have_a_limit(server):
    body = sendgrid_batch(("m-1", "ada@example.com"), substitutions={"-name-": "x" * 10_000})
    answer = post(server, "sendgrid", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "personalizations.0.substitutions")


@pytest.mark.parametrize("address", ["invalid@example.com", "suppressed@example.com"])
def test_postmark_answers_for_each_message(server, address):
    people = [("m-1", "ada@example.com"), ("m-2", address), ("m-3", "bob@example.com")]
    answers = post(server, "postmark", postmark_batch(*people)).json()
    assert [answer["ErrorCode"] for answer in answers] == [0, {"i": 300, "s": 406}[address[0]], 0]
    assert [entry["to"] for entry in server.messages(limit="2")] == ["bob@example.com", "ada@example.com"]


def test_unreadable_message_of_postmark_is_refused_alone(server):
    answers = post(server, "postmark", [*postmark_batch(("m-1", "ada@example.com")), {"To": "x"}, "x"]).json()
    assert [answer["ErrorCode"] for answer in answers] == [0, 300, 300]


def test_ses_answers_for_each_entry(server):
    people = [("m-1", "invalid@example.com"), ("m-2", "ada@example.com")]
    results = post(server, "ses", ses_batch(*people)).json()["BulkEmailEntryResults"]
    assert [result["Status"] for result in results] == ["INVALID_PARAMETER", "SUCCESS"]


@pytest.mark.parametrize(
    "changes",
    [
        {"ReplacementEmailContent": {}},
        {"ReplacementHeaders": [{"Name": f"X-{number}", "Value": "x"} for number in range(16)]},
        {"ReplacementHeaders": [{"Name": "X-Note", "Value": "ü"}]},
        {"ReplacementHeaders": [{"Name": "X-Note", "Value": "x" * 1000}]},
        {"ReplacementTags": [{"Name": "note", "Value": "a b"}]},
        {"Destination": {}},
    ],
)
def test_unusable_entry_refuses_a_call_of_ses(server, changes):
    answer = post(server, "ses", ses_batch(("m-1", "ada@example.com"), **changes))
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (400, "BadRequestException")


@pytest.mark.parametrize("provider", PATHS)
def test_lost_answer_to_a_batch_leaves_all_emails_accepted(server, provider):
    server.set_controls(provider, fault="cut_after", fault_next=1)
    before = server.stats()["accepted"]
    with pytest.raises(requests.ConnectionError):
        post(server, provider, BODIES[provider](("m-1", "ada@example.com"), ("m-2", "bob@example.com")))
    assert server.stats()["accepted"] == before + 2


@pytest.mark.parametrize(("provider", "status"), list(itertools.product(PATHS, [429, 503])))
def test_refused_batch_is_accepted_for_no_recipient(server, provider, status):
    server.set_controls(provider, fail_next=1, error_status=status)
    before = server.stats()["accepted"]
    assert post(server, provider, BODIES[provider](("m-1", "ada@example.com"))).status_code == status
    assert server.stats()["accepted"] == before
