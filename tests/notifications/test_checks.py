"""Each check of a setting has an id, and a hint that says what to do."""

import os

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks

from accounts import emails
from notifications import checks, kinds
from notifications.runtime import startup
from notifications.runtime.roles import Role
from tests import forked


@pytest.mark.parametrize(
    ("id_", "changes"),
    [
        ("mailroom.E002", {"EMAIL_PROVIDERS": []}),
        ("mailroom.E002", {"EMAIL_PROVIDERS": ["pigeon"]}),
        ("mailroom.E002", {"EMAIL_PROVIDERS": ["simulator", "simulator"]}),
        ("mailroom.E003", {"EMAIL_PROVIDERS": ["ses"], "SES_REGION": ""}),
        ("mailroom.E003", {"EMAIL_PROVIDERS": ["sendgrid"], "SENDGRID_API_KEY": ""}),
        ("mailroom.E003", {"EMAIL_PROVIDERS": ["smtp"], "SMTP_URL": ""}),
        ("mailroom.E003", {"SIMULATOR_URL": ""}),
        ("mailroom.E004", {"MAILROOM_LOCAL": False, "EMAIL_BACKEND": "config.refusal.RefusingBackend"}),
        ("mailroom.E005", {"EMAIL_RATE": "fast"}),
        ("mailroom.E005", {"EMAIL_RATE": "0"}),
        ("mailroom.E005", {"EMAIL_RATE": "pigeon=3"}),
        ("mailroom.E005", {"EMAIL_STREAM_RATES": "slow=1"}),
        ("mailroom.E005", {"EMAIL_STREAM_FLOORS": "critical=0.7,bulk=0.4"}),
        ("mailroom.E005", {"EMAIL_DAILY": "ses=many"}),
        ("mailroom.E005", {"EMAIL_QUOTA_SHARE": 0.0}),
        ("mailroom.E005", {"EMAIL_FALLBACK_SHARE": 1.5}),
        ("mailroom.E006", {"DELIVERY_LEASE_S": 20.0}),
        ("mailroom.E006", {"PROVIDER_DEADLINE_S": 29.0}),
        ("mailroom.E010", {"PROVIDER_DEADLINE_S": 4.0}),
        ("mailroom.E010", {"PROVIDER_CONNECT_TIMEOUT_S": 14.0}),
        ("mailroom.E008", {"SITE_URL": "mail.example.com"}),
        ("mailroom.E008", {"SITE_URL": "https://[::1"}),
        ("mailroom.E008", {"SITE_URL": "https://mail.example.com:99999"}),
        ("mailroom.E008", {"SITE_URL": "https://user:password@mail.example.com"}),
        ("mailroom.E008", {"SITE_URL": "https://mail.example.com/ x"}),
        ("mailroom.E008", {"SITE_URL": "https://"}),
        ("mailroom.E011", {"SENDGRID_WEBHOOK_KEY": "no key"}),
        ("mailroom.E011", {"SIMULATOR_WEBHOOK_KEY": "bm8ga2V5"}),
        ("mailroom.E009", {"DEFAULT_FROM_EMAIL": "Mailroom"}),
        ("mailroom.E009", {"DEFAULT_FROM_EMAIL": "a@b.com, c@d.com"}),
        ("mailroom.E009", {"DEFAULT_FROM_EMAIL": "Shop, Inc <hello@example.com>"}),
        ("mailroom.E011", {"POSTMARK_WEBHOOK_AUTH": "justuser"}),
        ("mailroom.E012", {"EMAIL_ADDRESS_HOURLY": 0}),
        ("mailroom.E012", {"SOFT_BOUNCE_LIMIT": 0}),
        ("mailroom.E014", {"CLIENT_LIMITS": "sign-up=20/minute"}),
        ("mailroom.E014", {"ADDRESS_LIMITS": ""}),
        ("mailroom.E015", {"TRUSTED_PROXIES": -1}),
        ("mailroom.W001", {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}),
        ("mailroom.E012", {"ANONYMIZE_AFTER_DAYS": 0}),
        ("mailroom.E016", {"BOUNCE_BRAKE_MIN": 0}),
        ("mailroom.E016", {"BOUNCE_BRAKE_SHARE": 1.5}),
        ("mailroom.E016", {"BOUNCE_BRAKE_PER_MIN": 0.0}),
        ("mailroom.E017", {"UNCONFIRMED_DAYS": 3}),
    ],
)
def test_unusable_setting_is_reported(settings, id_, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    found = run_checks(tags=["mailroom"])
    assert {error.id for error in found} == {id_}
    assert all(error.hint for error in found)


def test_default_settings_pass():
    assert run_checks(tags=["mailroom"]) == []


def test_kind_without_templates_is_reported(monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "no-templates", kinds.Kind(**{**vars(emails.WELCOME), "name": "no-templates"}))
    found = list(checks.kind_templates(None))
    assert [error.id for error in found] == ["mailroom.E007"] * 3
    assert "templates/emails/no-templates/subject.txt" in str(found[0].hint)


def test_unknown_role_is_reported(settings):
    settings.MAILROOM_ROLE = "postman"
    assert [error.id for error in checks.role(None)] == ["mailroom.E001"]


@pytest.mark.parametrize("role", list(Role))
def test_known_role_passes(settings, role):
    settings.MAILROOM_ROLE = role.value
    assert list(checks.role(None)) == []


def test_process_in_a_wrong_role_does_not_start():
    with pytest.raises(startup.SystemCheckError, match="MAILROOM_ROLE=worker"):
        startup.require(Role.WORKER)


@pytest.mark.parametrize(
    ("role", "command", "said"),
    [
        ("web", ["-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", "1"], "needs MAILROOM_ROLE=worker"),
        ("worker", ["-m", "celery", "-A", "config", "beat", "-s", "{tmp}/beat"], "needs MAILROOM_ROLE=beat"),
        ("worker", ["manage.py", "relay"], "needs MAILROOM_ROLE=relay"),
        ("worker", ["-c", "import config.wsgi"], "needs MAILROOM_ROLE=web"),
        ("postman", ["manage.py", "check"], "mailroom.E001"),
    ],
)
def test_real_process_in_a_wrong_role_names_the_right_one(tmp_path, role, command, said):
    done = forked.run(
        *(part.replace("{tmp}", str(tmp_path)) for part in command),
        folder=django_settings.BASE_DIR,
        environment=os.environ | {"MAILROOM_ROLE": role},
    )
    assert done.returncode != 0
    assert said in done.stderr + done.stdout


@pytest.mark.parametrize("role", Role)
def test_only_processes_that_call_providers_need_their_secrets(settings, role):
    settings.EMAIL_PROVIDERS, settings.SENDGRID_API_KEY = ["sendgrid"], ""
    settings.MAILROOM_ROLE = role
    found = {error.id for error in checks.provider_settings(None)}
    assert found == ({"mailroom.E003"} if role not in {Role.WEB, Role.FLOWER} else set())
