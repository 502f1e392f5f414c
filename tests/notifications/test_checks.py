"""Each check of a setting has an id, and a hint that says what to do."""

import os
import sys
from dataclasses import replace
from types import ModuleType

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks

from accounts import emails
from notifications import checks, kinds
from notifications.runtime import startup
from notifications.runtime.roles import Role
from tests import forked

SHADOW = "notifications.backend.ShadowBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
# Of a project that is deployed.
DEPLOYED = {"MAILROOM_LOCAL": False, "EMAIL_BACKEND": "notifications.backend.OutboxBackend"}
HTTP, HTTPS = ({"SITE_URL": f"{scheme}://127.0.0.1"} for scheme in ("http", "https"))
SENDS = {"EMAIL_PROVIDERS": ["smtp"], "SMTP_URL": "smtp://127.0.0.1:1025"}


def test_guard_needs_no_shadowed_backend_that_sends_nothing(settings):
    settings.EMAIL_BACKEND, settings.REDIRECT_TO = SHADOW, "box@example.com"
    settings.SHADOWED_BACKEND = SMTP.replace("smtp", "console")
    assert "mailroom.E078" not in {message.id for message in run_checks(tags=["mailroom"])}


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
        ("mailroom.E004", {**DEPLOYED, **HTTPS}),
        ("mailroom.W017", {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend"}),
        (
            "mailroom.W018",
            {
                "EMAIL_BACKEND": "notifications.backend.OutboxBackend",
                "SERVER_EMAIL": "root@localhost",
                "ADMINS": [("Ada", "ada@example.com")],
            },
        ),
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
        ("mailroom.E080", {"USE_TZ": False}),
        ("mailroom.W079", {**DEPLOYED, **SENDS, **HTTP}),
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
        ("mailroom.E060", {"KEEP_MESSAGES_DAYS": 29}),
        ("mailroom.E060", {"KEEP_DEAD_LETTERS_DAYS": 1}),
        ("mailroom.E060", {"KEEP_EVENTS_DAYS": 29}),
        ("mailroom.E061", {"UNCONFIRMED_DAYS": 180}),
        ("mailroom.E062", {"ONLY_TO": ["ada@example.com", "a shop"], "DEBUG": True}),
        ("mailroom.E062", {"REDIRECT_TO": "example.com", "DEBUG": True}),
        ("mailroom.E063", {"DEBUG": True, "EMAIL_PROVIDERS": ["simulator", "smtp"], "SMTP_URL": "smtp://mail.example"}),
        ("mailroom.E063", {"DEBUG": True, "EMAIL_PROVIDERS": ["ses"], "SES_REGION": "eu-central-1"}),
        ("mailroom.W016", {"ONLY_TO": ["shop.example"]}),
        ("mailroom.W016", {"REDIRECT_TO": "ada@example.com"}),
        ("mailroom.E073", {"EMAIL_BACKEND": SHADOW, "SHADOWED_BACKEND": "gone.Backend"}),
        ("mailroom.E078", {"EMAIL_BACKEND": SHADOW, "SHADOWED_BACKEND": SMTP, "ONLY_TO": ["a.example"], "DEBUG": True}),
        (
            "mailroom.E078",
            {"EMAIL_BACKEND": SHADOW, "SHADOWED_BACKEND": SMTP, "REDIRECT_TO": "a@b.example", "DEBUG": True},
        ),
        ("mailroom.E073", {"EMAIL_BACKEND": SHADOW, "SHADOWED_BACKEND": SHADOW}),
        ("mailroom.E073", {"EMAIL_BACKEND": SHADOW, "SHADOWED_BACKEND": "notifications.backend.OutboxBackend"}),
        ("mailroom.E075", {"EMAIL_BACKEND": SHADOW, "EMAIL_PROVIDERS": ["null", "simulator"]}),
        ("mailroom.E075", {"EMAIL_BACKEND": SHADOW, "EMAIL_PROVIDERS": ["null"], "SHADOW_PERCENT": 1}),
        ("mailroom.E075", {"EMAIL_BACKEND": "notifications.backend.OutboxBackend", "EMAIL_PROVIDERS": ["null"]}),
        ("mailroom.E030", {"SHADOW_PERCENT": 101}),
        ("mailroom.E030", {"SHADOW_PERCENT": -1}),
    ],
)
def test_unusable_setting_is_reported(settings, id_, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    found = run_checks(tags=["mailroom"])
    assert {error.id for error in found} == {id_}
    assert all(error.hint for error in found)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        SENDS,
        {"EMAIL_PROVIDERS": ["ses"], "SES_REGION": "eu-central-1", "ONLY_TO": ["shop.example"]},
    ],
)
def test_debug_is_no_problem_if_no_email_reaches_people(settings, changes):
    for name, value in {"DEBUG": True, **changes}.items():
        setattr(settings, name, value)
    assert run_checks(tags=["mailroom"]) == []


@pytest.mark.parametrize("is_local", [True, False])
def test_trial_without_a_provider_passes(settings, is_local):
    settings.EMAIL_BACKEND, settings.EMAIL_PROVIDERS, settings.MAILROOM_LOCAL = SHADOW, ["null"], is_local
    settings.SITE_URL = HTTPS["SITE_URL"]
    assert run_checks(tags=["mailroom"]) == []


@pytest.mark.parametrize(
    ("backends", "ids"),
    [
        ({}, ["mailroom.E074"]),
        ({"other": "django.core.mail.backends.smtp.EmailBackend"}, ["mailroom.E074"]),
        ({"default": "django.core.mail.backends.smtp.EmailBackend"}, []),
    ],
)
def test_post_office_that_would_send_to_itself_is_reported(settings, monkeypatch, backends, ids):
    module = ModuleType("post_office")
    module.EmailBackend = type("EmailBackend", (), {"__module__": "post_office"})
    monkeypatch.setitem(sys.modules, "post_office", module)
    settings.EMAIL_BACKEND, settings.SHADOWED_BACKEND = SHADOW, "post_office.EmailBackend"
    settings.POST_OFFICE = {"BACKENDS": backends}
    assert [error.id for error in run_checks(tags=["mailroom"])] == ids


def test_default_settings_pass():
    assert run_checks(tags=["mailroom"]) == []


def test_templates_are_those_of_django_beside_another_engine(settings):
    # Jinja2 would find the same files, and could not read them.
    jinja = {"BACKEND": "django.template.backends.jinja2.Jinja2", "DIRS": settings.TEMPLATES[0]["DIRS"]}
    settings.TEMPLATES = [{**jinja, "APP_DIRS": True}, *settings.TEMPLATES]
    assert list(checks.kind_templates(None)) == []


def test_project_without_djangos_templates_is_reported(settings):
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.jinja2.Jinja2"}]
    assert {error.id for error in checks.kind_templates(None)} == {"mailroom.E007"}


def test_kind_without_templates_is_reported(monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "no-templates", replace(emails.WELCOME, name="no-templates"))
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
