"""`manage.py mailroom_check` names everything that is missing, with the line to add."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from notifications import kinds
from notifications.installation import processes, project, rendering, stores
from notifications.management.commands.mailroom_check import inspect_all
from notifications.models import ProcessHeartbeat
from notifications.providers.base.account import Level
from notifications.rules.states import Stream
from notifications.runtime.celery_app import CeleryApp
from notifications.runtime.heartbeat import beat, served_key
from notifications.runtime.redis_client import client as broker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
SHOP = CeleryApp(name="shop", is_configured=True, is_ours=False, queues=("celery", "reports"), has_other_tasks=True)
OURS = CeleryApp(name="notifications", is_configured=True, is_ours=True, queues=("celery",), has_other_tasks=False)
# A URLconf without the engine and the admin.
urlpatterns = [path("", lambda request: HttpResponse())]


def run():
    """Return the command's exit code and output."""
    out = StringIO()
    try:
        call_command("mailroom_check", stdout=out, no_color=True)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def running():
    """All processes, as their heartbeats show them."""
    for name in ("relay@here", "beat@here", "email@here"):
        beat(name)
    for stream in Stream:
        broker().set(served_key(stream.value), "1")


def bad(findings):
    return {finding.code for finding in findings if finding.level is Level.BAD}


def test_nothing_is_missing_in_this_project(running):
    code, output = run()
    assert code == 0, output
    assert "manage.py relay" in output


def test_missing_processes_keep_email_from_being_sent():
    code, output = run()
    assert code == 1
    assert bad(processes.inspect_processes()) == {"no-relay", "stream-unserved"}
    assert "celery -A config worker" in output


def test_beat_is_missed_but_does_not_keep_email_from_being_sent(running):
    ProcessHeartbeat.objects.filter(name="beat@here").delete()
    (finding,) = processes.inspect_processes()
    assert (finding.level, finding.code) == (Level.NOTE, "no-beat")


def test_silent_worker_keeps_email_from_being_sent(running):
    broker().delete(served_key("default"))
    ProcessHeartbeat.objects.filter(name="email@here").update(beat_at=Now() - timedelta(minutes=1))
    assert bad(processes.inspect_processes()) == {"process-silent"}


def test_database_that_does_not_answer_is_the_only_finding_about_it(monkeypatch):
    def refuse():
        raise OperationalError("the address is secret")

    monkeypatch.setattr(connection, "cursor", refuse)
    found = inspect_all(SHOP)
    assert {"no-answer"} <= bad(found)
    assert not {"tables", "processes"} & {finding.subject for finding in found}
    assert "secret" not in str(found)


def test_unapplied_migration_is_named_by_the_command_that_applies_it():
    MigrationRecorder.Migration.objects.filter(app="notifications").order_by("-name").first().delete()
    finding = stores.inspect_tables()
    assert (finding.level, finding.code) == (Level.BAD, "not-migrated")
    assert finding.hint.endswith("migrate")


@pytest.mark.parametrize(("version", "code"), [(140_010, "too-old"), (150_000, "answers"), (180_001, "answers")])
def test_version_of_postgresql_must_be_supported(monkeypatch, version, code):
    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def execute(self, statement):
            pass

        def fetchone(self):
            return version, "x"

    monkeypatch.setattr(connection, "cursor", Cursor)
    assert stores.inspect_database().code == code


def test_redis_that_does_not_answer_is_named_with_the_setting():
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        finding = stores.inspect_redis()
    assert (finding.level, finding.code) == (Level.BAD, "no-answer")


def test_redis_that_drops_keys_is_noted():
    broker().config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert stores.inspect_redis().code == "evicts"
    finally:
        broker().config_set("maxmemory-policy", "noeviction")
    assert stores.inspect_redis().code == "answers"


@pytest.mark.parametrize(
    ("other", "is_noted"), [("amqp://localhost", True), ("", False), ("same", False), ("same?timeout=1", False)]
)
def test_broker_of_the_projects_settings_is_compared(settings, other, is_noted):
    settings.CELERY_BROKER_URL = other.replace("same", settings.REDIS_URL)
    assert (stores.broker_elsewhere() is not None) is is_noted


def test_apps_in_another_database_are_named(settings):
    class Router:
        def db_for_write(self, model, **hints):
            return "archive" if model._meta.app_label == "sessions" else None

    settings.DATABASE_ROUTERS = [Router()]
    (finding,) = stores.inspect_routing()
    assert (finding.subject, finding.level) == ("database archive", Level.NOTE)


def test_celery_that_is_not_configured_keeps_email_from_being_sent():
    assert project.inspect_celery(replace(SHOP, is_configured=False)).level is Level.BAD
    assert project.inspect_celery(SHOP).level is project.inspect_celery(OURS).level is Level.GOOD


def test_commands_are_those_of_the_project():
    worker, relay, schedule, others = processes.commands(SHOP)
    assert worker.startswith("celery -A shop worker ")
    assert "-Q critical,default,bulk" in worker
    assert relay.endswith("relay")
    assert schedule == "celery -A shop beat"
    assert others.partition(" -Q ")[2].startswith("celery,reports ")


def test_queue_of_a_stream_that_has_other_tasks_is_noted():
    shared = replace(SHOP, queues=("default", "reports"))
    assert project.inspect_celery(shared).code == "shared-queue"
    assert project.inspect_celery(replace(shared, has_other_tasks=False)).code == "configured"
    assert " -Q reports " in processes.commands(shared)[-1]


def test_engines_application_has_no_other_tasks(monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    worker, *others = processes.commands(OURS)
    assert worker.startswith("DJANGO_SETTINGS_MODULE=shop.settings celery -A notifications worker ")
    assert len(others) == 2


def test_missing_provider_keeps_email_from_being_sent(settings):
    del settings.EMAIL_PROVIDERS
    assert bad(project.inspect_settings()) == {"mailroom.W012"}


def test_error_of_a_system_check_is_shown_with_its_hint(settings):
    settings.EMAIL_PROVIDERS, settings.SMTP_URL = ["smtp"], ""
    (finding,) = project.inspect_settings()
    assert (finding.level, finding.code) == (Level.BAD, "mailroom.E003")
    assert "SMTP_URL" in finding.hint


def test_site_url_that_is_not_set_is_noted(settings):
    assert project.inspect_site().level is Level.GOOD or "SITE_URL" in project.inspect_site().hint
    del settings.SITE_URL
    assert project.inspect_site().code == "not-set"


@override_settings(ROOT_URLCONF=__name__)
def test_urls_that_are_not_included_are_noted_with_the_line_to_add():
    assert project.inspect_urls().code == "not-included"
    assert project.inspect_admin().code == "no-urls"


def test_each_provider_says_whether_its_reports_are_accepted(settings):
    settings.EMAIL_PROVIDERS, settings.SENDGRID_WEBHOOK_KEY = ["sendgrid", "smtp"], ""
    (finding,) = project.inspect_webhooks()
    assert (finding.subject, finding.code) == ("sendgrid reports", "not-set")


def test_other_email_backend_is_noted(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert project.inspect_backend().code == "another-backend"
    settings.EMAIL_BACKEND = "notifications.backend.ShadowBackend"
    assert project.inspect_backend().code == "trial"


def test_kind_without_an_example_is_noted(monkeypatch):
    name = next(iter(kinds.KINDS))
    assert [finding.level for finding in rendering.inspect_kinds()] == [Level.GOOD]
    broken = replace(kinds.KINDS[name], context=lambda user: user.nothing)
    monkeypatch.setitem(kinds.KINDS, name, broken)
    (finding,) = rendering.inspect_kinds()
    assert finding.code == "no-example"
    assert name in finding.text
