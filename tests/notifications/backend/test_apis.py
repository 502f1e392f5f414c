"""Providers with an API get the request that Anymail alone would send, as far as the API can express an email."""

import base64
import json

import pytest
from anymail.backends import amazon_ses, postmark, sendgrid
from anymail.exceptions import AnymailError

from notifications.backend import OutboxBackend
from notifications.models import Message
from notifications.providers.ses.backend import client_params
from notifications.rules.states import Status
from tests.notifications.backend.mime import tree
from tests.notifications.delivery.delivering import run
from tests.notifications.providers.base.test_email_message import EMAILS
from tests.simulated import simulator

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("valkey"),
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]


# Signed by their classes.
NEED_MIME = {"signed", "written by a function"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("apis"), "--keep-bodies") as running:
        yield running


def forget_nested(files, type_key, content_key):
    # Each time it is written, an attached email has another id.
    for file in files:
        if file[type_key] == "message/rfc822":
            assert base64.b64decode(file.pop(content_key))


def of_sendgrid(data):
    own = {"custom_args"}
    data["personalizations"] = [
        {name: value for name, value in each.items() if name not in own} for each in data["personalizations"]
    ]
    forget_nested(data.get("attachments", []), "type", "content")
    data["headers"] = {name: value for name, value in data.get("headers", {}).items() if name != "Message-ID"}
    return {name: value for name, value in data.items() if name not in own}


def of_postmark(data):
    forget_nested(data.get("Attachments", []), "ContentType", "Content")
    data["Headers"] = [each for each in data.get("Headers", []) if each["Name"] != "Message-ID"]
    return {name: value for name, value in data.items() if name != "Metadata"}


def of_ses(data):
    mime = tree(base64.b64decode(data["Content"]["Raw"]["Data"]))
    mime["headers"] = [each for each in mime["headers"] if each[0] != "X-Metadata"]
    return mime, data["Destination"], data.get("FromEmailAddress")


PROVIDERS = {
    "sendgrid": (of_sendgrid, lambda url: sendgrid.EmailBackend(api_key="any", api_url=f"{url}/v3/")),
    "postmark": (of_postmark, lambda url: postmark.EmailBackend(server_token="any", api_url=f"{url}/")),
    "ses": (of_ses, lambda url: amazon_ses.EmailBackend(client_params=client_params())),
}


def use(name, server, settings, monkeypatch):
    settings.EMAIL_PROVIDERS, settings.EMAIL_RATE = [name], ""
    settings.SENDGRID_API_URL, settings.SENDGRID_API_KEY = f"{server.url}/v3/", "any"
    settings.POSTMARK_API_URL, settings.POSTMARK_SERVER_TOKEN = f"{server.url}/", "any"
    settings.SES_ENDPOINT_URL, settings.SES_REGION = server.url, "eu-central-1"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")


@pytest.mark.parametrize("name", PROVIDERS)
def test_request_is_the_one_of_anymail(server, settings, monkeypatch, name):
    use(name, server, settings, monkeypatch)
    normal, backend = PROVIDERS[name]
    compared = set()
    for case, email in EMAILS.items():
        if name != "ses" and case in NEED_MIME:
            continue
        last = len(server.calls())
        # Chooses the boundaries of its parts.
        email.message().as_bytes()
        try:
            backend(server.url).send_messages([email])
        except (AnymailError, KeyError, TypeError):
            # The API or Anymail cannot express it.
            continue
        OutboxBackend().send_messages([email])
        message = Message.objects.get(status=Status.QUEUED)
        run(message)
        theirs, ours = (json.loads(base64.b64decode(call["body"])) for call in server.calls(after=str(last)))
        assert normal(ours) == normal(theirs), case
        assert Message.objects.get(id=message.id).status == Status.SENT
        compared.add(case)
    assert {"text", "files", "html only"} <= compared


@pytest.mark.parametrize("name", ["sendgrid", "postmark"])
@pytest.mark.parametrize("case", sorted(NEED_MIME))
def test_signed_email_does_not_leave_without_its_signature(server, settings, monkeypatch, name, case):
    use(name, server, settings, monkeypatch)
    last = len(server.calls())
    OutboxBackend().send_messages([EMAILS[case]])
    run(Message.objects.get())
    assert Message.objects.get().status == Status.DEAD
    assert server.calls(after=str(last)) == []
