"""A made-up provider, added by the steps of docs/how-to/add-a-provider.md: one folder and one registry entry."""

import hmac
import importlib
import json
import re
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

from config.environment import BASE_DIR
from config.reading import Environment
from devtools.pages import answers
from devtools.pages import settings as settings_page
from notifications import conf, providers
from notifications.breaker import permits
from notifications.budget import grants
from notifications.budget.terms import rate_of
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.events.apply import read_due
from notifications.models import Message, Suppression
from notifications.operations import provider_check
from notifications.providers import registry
from notifications.providers.base import connections
from notifications.providers.base.answers import meaning as m
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Attachment
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.account_contract import SECRET, AccountContract
from tests.notifications.providers.base.http_contract import HttpContract
from tests.notifications.providers.base.outgoing import as_shown, outgoing
from tests.notifications.providers.base.scripted_api import scripted_api

FOLDER = "notifications/providers/acme/"
SEND = "POST /v3/smtp/email"
KEY = "webhook-key"


def files_of_the_page():
    """Yield name and content of Acme's files in docs/how-to/add-a-provider.md."""
    page = (BASE_DIR / "docs/how-to/add-a-provider.md").read_text()
    for step in page.split(f"\n`{FOLDER}")[1:]:
        name = step.partition("`")[0]
        code = re.search(r"```python\n(.*?)```", step, re.DOTALL)
        yield name, code[1] if code and name != "__init__.py" else ""


@pytest.fixture(scope="module", autouse=True)
def acme(tmp_path_factory):
    """Create the folder where Python finds it among the providers."""
    elsewhere = tmp_path_factory.mktemp("providers")
    (elsewhere / "acme").mkdir()
    for name, text in files_of_the_page():
        (elsewhere / "acme" / name).write_text(text)
    patch = pytest.MonkeyPatch()
    patch.setattr(providers, "__path__", [*providers.__path__, str(elsewhere)])
    yield elsewhere / "acme"
    patch.undo()
    for name in [name for name in sys.modules if name.startswith("notifications.providers.acme")]:
        del sys.modules[name]
    vars(providers).pop("acme", None)


def part(module, name):
    return getattr(importlib.import_module(f"notifications.providers.acme.{module}"), name)


@pytest.fixture
def at(settings):
    def point(port, *, tls=False):
        settings.ACME_API_KEY = "canary-key"
        settings.ACME_API_URL = f"http{'s' * tls}://127.0.0.1:{port}/v3/"

    return point


@pytest.fixture
def server():
    with scripted_api(keeps=True) as running:
        running.answers[SEND] = (201, {"messageId": "<1@acme.example>"})
        yield running


@pytest.fixture
def added(registered, settings, server, at):
    """Add the registry entry, and the settings of an installation that uses it."""
    registered(
        "acme",
        backend=part("backend", "Acme"),
        settings=part("settings", "AcmeSettings"),
        webhook=part("webhook", "AcmeWebhook"),
        account=part("account", "AcmeAccount"),
    )
    at(server.url.rpartition(":")[2])
    settings.EMAIL_PROVIDERS, settings.ACME_WEBHOOK_KEY = ["acme"], KEY
    # Connections of other tests lead to other servers.
    connections.close_all()
    yield server
    connections.close_all()


def as_taken(asked):
    said = json.loads(asked.body)
    (to,) = said["to"]
    return {
        "to": to["email"],
        "to_name": as_shown(to.get("name", "")),
        "subject": as_shown(said["subject"]),
        "text": said.get("textContent", ""),
        "html": said.get("htmlContent", ""),
        "headers": said["headers"],
    }


def no(status, code, text="no"):
    return faults.answer(status, body=json.dumps({"code": code, "message": text}))


class TestSending(HttpContract):
    says = {
        m.BAD_ADDRESS: no("400 Bad", "invalid_recipient"),
        m.MESSAGE_REFUSED: no("422 Unprocessable", "invalid_parameter"),
        m.REFUSES_US: no("403 Forbidden", "sender_not_verified"),
        m.THROTTLED: no("429 Too Many", "too_many_requests"),
        m.QUOTA_SPENT: no("402 Payment", "not_enough_credits"),
        m.OUTAGE: no("500 Error", "internal"),
        m.UNKNOWN: faults.answer("500 Error", body="<html>a gateway's page</html>"),
    }
    accepted = '{"messageId": "an-id"}'
    accepted_status = "201 Created"
    is_decoded = True
    # Brevo takes neither images shown by the HTML nor emails as files.
    test_everything_beyond_one_recipient_arrives = None  # type: ignore[assignment]
    test_email_in_an_email_arrives = None  # type: ignore[assignment]

    def test_more_than_one_recipient_arrives(self, provider, server):
        others = {"cc": (NamedAddress("carl@example.com"),), "reply_to": (NamedAddress("support@example.com"),)}
        files = [Attachment("invoice.pdf", b"%PDF")]
        provider.send(outgoing(more_to=(NamedAddress("bob@example.com"),), tags=("2026",), attachments=files, **others))
        (said,) = (json.loads(asked.body) for asked in server.asked)
        assert [one["email"] for one in said["to"]] == ["ada.canary@example.com", "bob@example.com"]
        assert ([one["email"] for one in said["cc"]], said["replyTo"]["email"]) == (
            ["carl@example.com"],
            "support@example.com",
        )
        assert (said["tags"], [one["name"] for one in said["attachment"]]) == (["2026"], ["invoice.pdf"])

    def made(self):
        return part("backend", "Acme")()

    def no(self, text):
        return (), json.dumps({"code": "internal", "message": text})

    @pytest.fixture
    def provider(self, server, at):
        at(server.url.rpartition(":")[2])
        return self.made()

    @pytest.fixture
    def taken(self, server):
        return lambda: [as_taken(asked) for asked in server.asked]


class TestAccount(AccountContract):
    def made(self):
        return part("account", "AcmeAccount")()

    @pytest.fixture
    def at(self, settings):
        def point(url):
            settings.ACME_API_KEY, settings.ACME_API_URL = SECRET, f"{url}/v3/"

        return point


def send(message):
    deliver([message.id], Stream.DEFAULT, Carrier(task_id="task", worker="test@here"))
    return Message.objects.get(id=message.id)


def reported(client, event, key=KEY):
    body = json.dumps(event)
    signature = hmac.new(key.encode(), body.encode(), "sha256").hexdigest()
    headers = {"X-Acme-Signature": signature}
    return client.post("/webhooks/acme/", body, content_type="application/json", headers=headers)


def test_provider_touches_one_folder(acme):
    assert {path.name for path in acme.glob("*.py")} == {
        *("__init__.py", "settings.py", "answers.py", "backend.py", "webhook.py", "account.py")
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_message_is_sent_and_a_signed_report_is_applied(client, added):
    message = send(MessageFactory())
    assert (message.status, message.provider) == (Status.SENT, "acme")
    assert message.delivery_attempts.get().provider_message_id == "<1@acme.example>"
    assert [as_taken(asked)["to"] for asked in added.asked] == [message.to_address]
    metadata = json.loads(json.loads(added.asked[0].body)["headers"]["X-Mailin-custom"])
    event = {"event": "hard_bounce", "email": message.to_address, "metadata": metadata}
    assert reported(client, event, key="another").status_code == 403
    assert reported(client, event).status_code == 200
    read_due()
    message.refresh_from_db()
    assert message.outcome == Outcome.BOUNCED
    assert Suppression.objects.get().address == message.to_address


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_its_circuit_opens_when_it_refuses_us(added):
    added.answers[SEND] = (403, {"code": "sender_not_verified", "message": "no"})
    message = send(MessageFactory())
    assert (message.status, permits.is_closed("acme")) == (Status.QUEUED, False)


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_it_has_a_budget(added, settings):
    settings.EMAIL_RATE = "usual"
    assert rate_of("acme") == 10
    settings.EMAIL_RATE = "acme=1"
    assert 0 < grants.reserve("acme", Stream.DEFAULT, 100).count < 100


def test_its_settings_are_declared_with_it(added, settings):
    declared = {setting.name: setting for setting in conf.from_environment()}
    given = Environment({"ACME_API_KEY": "a-key", "ACME_WEBHOOK_KEY_FILE": __file__})
    assert given.read(declared["ACME_API_KEY"]) == "a-key"
    assert given.read(declared["ACME_WEBHOOK_KEY"]) == Path(__file__).read_text().rstrip()
    assert given.read(declared["ACME_API_URL"]) == "https://api.acme.example/v3/"
    assert all(f"| `{name}` |" in settings_page.page() for name in declared if name.startswith("ACME_"))
    del settings.ACME_API_URL
    assert part("settings", "settings").ACME_API_URL == "https://api.acme.example/v3/"


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize(
    ("name", "value", "id_"),
    [
        ("ACME_API_KEY", "two words", "mailroom.E045"),
        ("ACME_API_KEY", None, "mailroom.E030"),
        ("ACME_API_URL", "http://api.acme.example", "mailroom.E042"),
    ],
)
def test_its_settings_are_checked(settings, name, value, id_):
    setattr(settings, name, value)
    (found,) = [each for each in run_checks(tags=["mailroom"]) if name in each.msg]
    assert found.id == id_
    assert found.hint


@pytest.mark.django_db
def test_its_account_is_checked_and_its_table_is_on_the_page(added, settings, monkeypatch):
    monkeypatch.setattr(provider_check.dns, "check_dns", lambda *args, **kwargs: [])
    added.answers["GET /v3/account"] = (200, {"name": "Shop", "per_day": 300, "sent_today": 12})
    added.answers["DELETE /v3/blocked/ada@example.com"] = (204, "")
    found = {finding.subject: finding.level.value for finding in provider_check.check(["acme"])}
    assert found == {"acme credentials": "ok", "acme quota": "ok", "acme reports here": "note"}
    assert "acme" in registry.list_keepers()
    assert registry.account_of("acme").unsuppress("ada@example.com")
    assert "## Acme\n" in answers.page()
