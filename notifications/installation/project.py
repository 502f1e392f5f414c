"""Inspect how the project uses the engine: settings, URLs, admin, email backend, Celery."""

from collections.abc import Iterator
from dataclasses import replace

from django.apps import apps
from django.core import checks
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from notifications import conf
from notifications.conf import settings
from notifications.installation.shadowing import is_shadowing
from notifications.operations.provider_check import check_webhook
from notifications.providers.base.account import Finding, bad, good, note
from notifications.providers.registry import PROVIDERS, webhook_of
from notifications.rules.states import Stream
from notifications.runtime.celery_app import CeleryApp

BACKEND = "notifications.backend.OutboxBackend"
# Warnings of system checks while a project is set up; without them, no email is sent.
_BLOCKING = {"mailroom.W012", "mailroom.W014"}
# Warnings about what other functions here inspect.
_OF_OTHERS = {"mailroom.W013", "mailroom.W017"}


def inspect_settings() -> Iterator[Finding]:
    found = [
        message
        for message in checks.run_checks(tags=["mailroom"])
        if not message.is_silenced() and message.id not in _OF_OTHERS
    ]
    for message in found:
        finding = bad if message.level >= checks.ERROR or message.id in _BLOCKING else note
        yield finding("settings", message.id or "", message.msg, message.hint or "")
    if not found:
        yield good("settings", "no-problem", f"EMAIL_PROVIDERS is {', '.join(settings.EMAIL_PROVIDERS)}")


def inspect_site() -> Finding:
    if conf.is_set("SITE_URL"):
        return good("links", "set", f"in emails point to {settings.SITE_URL}")
    return note("links", "not-set", "in emails point to this machine", 'SITE_URL = "https://www.example.com"')


def inspect_urls() -> Finding:
    try:
        path = reverse("notifications:webhook", args=["provider"])
    except NoReverseMatch:
        text = "not included, so providers cannot report deliveries and bounces"
        return note("urls", "not-included", text, 'urlpatterns += [path("", include("notifications.urls"))]')
    return good("urls", "included", f"providers report to {path.replace('/provider/', '/<provider>/')}")


def inspect_webhooks() -> Iterator[Finding]:
    for name in settings.EMAIL_PROVIDERS:
        if name in PROVIDERS and (webhook := webhook_of(name)):
            yield from (replace(finding, subject=f"{name} reports") for finding in check_webhook(webhook))


def inspect_backend() -> Finding:
    path = str(settings.EMAIL_BACKEND)
    try:
        is_ours = issubclass(import_string(path), import_string(BACKEND))
    except ImportError:
        is_ours = False
    if is_ours:
        return good("send_mail()", "ours", "goes through Mailroom")
    if is_shadowing():
        text = f"goes through {settings.SHADOWED_BACKEND}, and for {settings.SHADOW_PERCENT} % through Mailroom"
        return note("send_mail()", "trial", text, "python manage.py shadow_report")
    return note("send_mail()", "another-backend", f"goes through {path}", f'EMAIL_BACKEND = "{BACKEND}"')


def inspect_admin() -> Finding:
    try:
        path = reverse("admin:notifications_message_changelist")
    except NoReverseMatch:
        text = "not among the URLs, so operators see nothing"
        return note("admin", "no-urls", text, 'urlpatterns += [path("admin/", admin.site.urls)]')
    missing = [name for name in ("messages", "sessions") if not apps.is_installed(f"django.contrib.{name}")]
    if missing:
        text = f"django.contrib.{missing[0]} is not installed"
        return note("admin", "incomplete", text, f'INSTALLED_APPS += ["django.contrib.{missing[0]}"]')
    return good("admin", "included", f"messages are at {path}")


def inspect_celery(app: CeleryApp) -> Finding:
    if not app.is_configured:
        hint = "from notifications.runtime.celery import configure; configure(app)"
        return bad("celery", "not-configured", f"the application {app.name} is not prepared for Mailroom", hint)
    if app.has_other_tasks and (shared := sorted(set(app.queues) & set(Stream.values))):
        text = f"other tasks use the queue {shared[0]}, too: they run in the threads of its workers, and email waits"
        return note("celery", "shared-queue", text, "Give them another queue: task_default_queue, task_routes.")
    text = "the engine's application, because the project has none" if app.is_ours else f"the application {app.name}"
    return good("celery", "configured", text)
