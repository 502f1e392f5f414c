"""The whole check against real servers on loopback; the DNS is one of our own."""

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from devtools.stack.ports import free_port
from notifications.operations import dns, provider_check
from notifications.providers.base.account import Quota, good, note
from notifications.providers.base.mail import ProviderError
from notifications.providers.registry import webhook_of
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults, signing
from tests.notifications.providers.ses.ses_double import ses_double
from tests.scripted import ScriptedAccount
from tests.simulated import simulator


@pytest.fixture(autouse=True)
def our_dns(server, monkeypatch):
    """dnspython reads the machine's own configuration; here it reads ours."""
    monkeypatch.setattr(dns, "Resolver", server.resolver)
    server.records = {"mailroom.example": ["v=spf1 a -all"], "_dmarc.mailroom.example": ["v=DMARC1; p=reject"]}


def found(name):
    return {finding.subject: finding for finding in provider_check.check([name])}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("ses", {"SES_REGION": ""}),
        ("sendgrid", {"SENDGRID_API_KEY": ""}),
        ("postmark", {"POSTMARK_SERVER_TOKEN": ""}),
        ("smtp", {"SMTP_URL": ""}),
        ("simulator", {"SIMULATOR_URL": ""}),
    ],
)
def test_setting_that_is_missing_is_named(settings, name, changes):
    for setting, value in changes.items():
        setattr(settings, setting, value)
    (finding,) = found(name).values()
    assert (finding.subject, finding.level.value) == (f"{name} settings", "bad")
    assert finding.hint == f"Set {next(iter(changes))} in the environment."


def test_ses_is_checked_as_a_whole(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    settings.SES_REGION = "eu-central-1"
    with ses_double(tmp_path, EnforcementStatus="PROBATION") as url:
        settings.SES_ENDPOINT_URL = url
        seen = found("ses")
    levels = {subject.removeprefix("ses "): finding.level.value for subject, finding in seen.items()}
    assert levels == {
        "credentials": "ok",
        "sending": "note",
        "sandbox": "ok",
        "sender": "note",
        "reports": "note",
        "quota": "ok",
        "reports here": "note",
        "SPF": "note",
        "DKIM": "note",
        "DMARC": "ok",
    }
    assert "14 a second" in seen["ses quota"].text


def test_provider_that_lets_nobody_in_is_not_asked_on(settings, server):
    settings.SENDGRID_API_KEY = "SG.a-key"
    with faults.fault_server(faults.answer("401 Unauthorized")) as api:
        settings.SENDGRID_API_URL = f"{api.url}/v3/"
        seen = found("sendgrid")
        assert len(api.requests) == 1
    assert seen["sendgrid credentials"].level.value == "bad"
    assert "sendgrid quota" not in seen
    assert seen["sendgrid DMARC"].level.value == "ok"


@pytest.mark.parametrize(
    ("quota", "share", "level", "words"),
    [
        (
            Quota(per_second=14, per_day=50000, sent_today=1234),
            0.8,
            "ok",
            "14 a second (aiming at 11.2), 1,234 of 50,000",
        ),
        (
            Quota(per_second=14, per_day=None, sent_today=7),
            1.0,
            "ok",
            "14 a second (aiming at 14), no limit a day, 7 sent",
        ),
        (Quota(per_second=None, per_day=100, sent_today=80), 0.8, "note", "80 of 100 in 24 hours used"),
        (Quota(per_second=1, per_day=200, sent_today=200), 0.8, "bad", "200 of 200"),
        (None, 0.8, "ok", "EMAIL_RATE alone decides"),
        (ProviderError(ErrorClass.TRANSIENT, "http-503"), 0.8, "note", "cannot be reached now (http-503)"),
    ],
)
def test_quota_is_said_with_what_we_aim_at(settings, quota, share, level, words):
    settings.EMAIL_QUOTA_SHARE = share
    (finding,) = provider_check.quota(ScriptedAccount(quota=quota))
    assert (finding.level.value, words in finding.text) == (level, True), finding


@pytest.mark.parametrize(
    ("provider", "changes", "level", "words"),
    [
        (
            "ses",
            {"SES_WEBHOOK_TOPICS": []},
            "note",
            "SES_WEBHOOK_TOPICS is not set; meanwhile the provider is",
        ),
        ("postmark", {"POSTMARK_WEBHOOK_AUTH": ""}, "note", "POSTMARK_WEBHOOK_AUTH is not set"),
        ("postmark", {"POSTMARK_WEBHOOK_AUTH": "justuser"}, "bad", "POSTMARK_WEBHOOK_AUTH is set to something that"),
        ("postmark", {"POSTMARK_WEBHOOK_AUTH": "post:mark"}, "ok", "webhooks/postmark/"),
        ("sendgrid", {"SENDGRID_WEBHOOK_KEY": ""}, "note", "SENDGRID_WEBHOOK_KEY is not set"),
        ("sendgrid", {"SENDGRID_WEBHOOK_KEY": "k"}, "bad", "SENDGRID_WEBHOOK_KEY is set to something that"),
        (
            "sendgrid",
            {"SITE_URL": "http://127.0.0.1:8000"},
            "note",
            "http://127.0.0.1:8000/webhooks/sendgrid/ is nothing",
        ),
        ("sendgrid", {}, "ok", "reports come to"),
    ],
)
def test_our_end_of_the_webhook_is_looked_at(settings, provider, changes, level, words):
    settings.SITE_URL, settings.SENDGRID_WEBHOOK_KEY = "https://shop.example.com", signing.SendGrid().shown_key()
    for setting, value in changes.items():
        setattr(settings, setting, value)
    (finding,) = provider_check.our_end(webhook_of(provider))
    assert (finding.level.value, words in finding.text) == (level, True), finding


class Counting:
    """An SMTP server that counts the mails it is given."""

    mails = 0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's own
        self.mails += 1
        return "250 OK"


@pytest.fixture
def smtp(settings):
    handler = Counting()

    def lets_in(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == b"right", handled=False)

    options = {"authenticator": lets_in, "auth_required": True, "auth_require_tls": False}
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    yield controller
    controller.stop(no_assert=True)
    assert handler.mails == 0


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(
    ("scheme", "password", "level", "words"),
    [
        ("smtp", "right", "ok", "takes our log-in"),
        ("smtp", "wrong", "bad", "the provider refuses us"),
        ("smtp+tls", "right", "bad", "the provider refuses us"),
    ],
)
def test_smtp_is_logged_in_to_and_left(settings, smtp, scheme, password, level, words):
    settings.SMTP_URL = f"{scheme}://me:{password}@127.0.0.1:{smtp.port}"
    seen = found("smtp")
    assert (seen["smtp connection"].level.value, words in seen["smtp connection"].text) == (level, True), seen
    assert ("smtp encryption" in seen) == (level == "ok")
    assert seen["smtp SPF"].level.value == "ok"
    assert password not in repr(seen)


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:{port}", "pigeon://127.0.0.1:{port}"])
def test_smtp_that_is_not_there_is_bad(settings, url):
    settings.SMTP_URL = url.format(port=free_port())
    assert found("smtp")["smtp connection"].level.value == "bad"


def test_simulator_is_reached(settings, tmp_path):
    with simulator(tmp_path) as running:
        settings.SIMULATOR_URL = running.url
        assert list(found("simulator").values()) == [
            good("simulator connection", f"it answers at {running.url}; what it takes reaches nobody")
        ]
        assert running.stats()["accepted"] == 0
    assert found("simulator")["simulator connection"].level.value == "bad"


def test_note_without_a_hint_is_possible():
    assert note("quota", "x").hint == ""
