"""The check against real servers on loopback, with a DNS server of the test."""

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from devtools.stack.ports import free_port
from notifications.operations import dns, provider_check
from notifications.providers.base.account import Level, Quota, note
from notifications.providers.base.sending import ProviderError
from notifications.providers.registry import webhook_of
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults, signing
from tests.notifications.providers.ses.ses_double import ses_double
from tests.scripted import ScriptedAccount
from tests.simulated import simulator


@pytest.fixture(autouse=True)
def our_dns(server, monkeypatch):
    """Let dnspython ask the test's DNS server."""
    monkeypatch.setattr(dns, "Resolver", server.resolver)
    # A busy machine answers slowly.
    monkeypatch.setattr(dns, "WITHIN_S", 60.0)
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
    assert next(iter(changes)) in finding.hint


def test_ses_is_checked(settings, monkeypatch, tmp_path):
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
    assert "14/s" in seen["ses quota"].text.split()


def test_provider_that_refuses_access_gets_no_further_calls(settings, server):
    settings.SENDGRID_API_KEY = "SG.a-key"
    with faults.fault_server(faults.answer("401 Unauthorized")) as api:
        settings.SENDGRID_API_URL = f"{api.url}/v3/"
        seen = found("sendgrid")
        assert len(api.requests) == 1
    assert seen["sendgrid credentials"].level.value == "bad"
    assert "sendgrid quota" not in seen
    assert seen["sendgrid DMARC"].level.value == "ok"


@pytest.mark.parametrize(
    ("quota", "share", "level", "code", "figures"),
    [
        (
            Quota(per_second=14, per_day=50000, sent_today=1234),
            0.8,
            "ok",
            "left",
            ["14", "11.2", "1,234", "50,000"],
        ),
        (
            Quota(per_second=14, per_day=None, sent_today=7),
            1.0,
            "ok",
            "no-daily-limit",
            ["14", "7"],
        ),
        (Quota(per_second=None, per_day=100, sent_today=80), 0.8, "note", "nearly-used-up", ["80", "100"]),
        (Quota(per_second=1, per_day=200, sent_today=200), 0.8, "bad", "used-up", ["200"]),
        (None, 0.8, "ok", "none", ["EMAIL_RATE"]),
        (ProviderError(ErrorClass.TRANSIENT, "http-503"), 0.8, "note", "transient", ["http-503"]),
    ],
)
def test_quota_is_shown_with_our_share(settings, quota, share, level, code, figures):
    settings.EMAIL_QUOTA_SHARE = share
    (finding,) = provider_check.quota(ScriptedAccount(quota=quota))
    assert (finding.level.value, finding.code) == (level, code), finding
    assert all(figure in finding.text for figure in figures)


@pytest.mark.parametrize(
    ("provider", "changes", "level", "code", "named"),
    [
        (
            "ses",
            {"SES_WEBHOOK_TOPICS": []},
            "note",
            "not-set",
            "SES_WEBHOOK_TOPICS",
        ),
        ("postmark", {"POSTMARK_WEBHOOK_AUTH": ""}, "note", "not-set", "POSTMARK_WEBHOOK_AUTH"),
        ("postmark", {"POSTMARK_WEBHOOK_AUTH": "justuser"}, "bad", "unusable", "POSTMARK_WEBHOOK_AUTH"),
        (
            "postmark",
            {"POSTMARK_WEBHOOK_AUTH": "post:mark"},
            "ok",
            "set",
            "https://shop.example.com/webhooks/postmark/",
        ),
        ("sendgrid", {"SENDGRID_WEBHOOK_KEY": ""}, "note", "not-set", "SENDGRID_WEBHOOK_KEY"),
        ("sendgrid", {"SENDGRID_WEBHOOK_KEY": "k"}, "bad", "unusable", "SENDGRID_WEBHOOK_KEY"),
        (
            "sendgrid",
            {"SITE_URL": "http://127.0.0.1:8000"},
            "note",
            "not-https",
            "http://127.0.0.1:8000/webhooks/sendgrid/",
        ),
        ("sendgrid", {}, "ok", "set", "https://shop.example.com/webhooks/sendgrid/"),
    ],
)
def test_webhook_is_checked(settings, provider, changes, level, code, named):
    settings.SITE_URL, settings.SENDGRID_WEBHOOK_KEY = "https://shop.example.com", signing.SendGrid().shown_key()
    for setting, value in changes.items():
        setattr(settings, setting, value)
    (finding,) = provider_check.check_webhook(webhook_of(provider))
    assert (finding.level.value, finding.code) == (level, code), finding
    assert named in finding.text


class Counting:
    """An SMTP server that counts the emails it receives."""

    received = 0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.received += 1
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
    assert handler.received == 0


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(
    ("scheme", "password", "level", "code"),
    [
        ("smtp", "right", "ok", "accepted"),
        ("smtp", "wrong", "bad", "misconfigured"),
        ("smtp+tls", "right", "bad", "misconfigured"),
    ],
)
def test_smtp_credentials_are_checked_without_sending(settings, smtp, scheme, password, level, code):
    settings.SMTP_URL = f"{scheme}://me:{password}@127.0.0.1:{smtp.port}"
    seen = found("smtp")
    assert (seen["smtp connection"].level.value, seen["smtp connection"].code) == (level, code), seen
    assert ("smtp encryption" in seen) == (level == "ok")
    assert seen["smtp SPF"].level.value == "ok"
    assert password not in repr(seen)


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:{port}", "pigeon://127.0.0.1:{port}"])
def test_unreachable_smtp_server_is_bad(settings, url):
    settings.SMTP_URL = url.format(port=free_port())
    assert found("smtp")["smtp connection"].level.value == "bad"


def test_simulator_is_reached(settings, tmp_path):
    with simulator(tmp_path) as running:
        settings.SIMULATOR_URL = running.url
        assert {subject: finding.level for subject, finding in found("simulator").items()} == {
            "simulator connection": Level.GOOD
        }
        assert running.stats()["accepted"] == 0
    assert found("simulator")["simulator connection"].level.value == "bad"


def test_note_without_a_hint_is_possible():
    assert note("quota", "left", "x").hint == ""
