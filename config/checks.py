"""System checks of the site's own settings, with ids and hints."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

from config import capacity, hosts, processes, transport
from config.environment import env
from notifications.rules.servers import is_loopback, web_address

# The limits of Django's `check --deploy`; here no process starts without them.
KEY_LENGTH, KEY_VARIETY = 50, 5
GENERATE = "Generate one: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
# These backends print, store or drop emails.
LOSING_BACKENDS = ("console", "dummy", "filebased", "locmem")


def register() -> None:
    for check in (
        readable,
        secret_key,
        local_only,
        email_backend,
        hosts.hosts,
        hosts.origins,
        hosts.static_files,
        transport.database_tls,
        transport.database_authority,
        transport.rate_limits_redis,
        transport.strict_transport,
    ):
        checks.register(check, "mailroom")
    checks.register(capacity.room_for_connections, checks.Tags.database)


def readable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for problem in processes.configuration_problems(env):
        yield Error(problem.text, hint=problem.hint, id=problem.id)


def secret_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # An attacker with the key can log in as any user.
    if settings.MAILROOM_LOCAL:
        return
    keys = {"SECRET_KEY": _key()}
    keys |= {f"SECRET_KEY_FALLBACKS (entry {n})": key for n, key in enumerate(settings.SECRET_KEY_FALLBACKS, 1)}
    for name, key in keys.items():
        if len(key) < KEY_LENGTH or len(set(key)) < KEY_VARIETY or key.startswith("django-insecure-"):
            text = f"{name} can be guessed: it needs at least {KEY_LENGTH} random characters."
            yield Error(text, hint=f"{GENERATE}. Write fallbacks with a comma one per line.", id="mailroom.E034")


def _key() -> str:
    try:
        return settings.SECRET_KEY
    except ImproperlyConfigured:  # Django raises it for an empty key
        return ""


def local_only(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # These settings are for developers' machines only.
    site = web_address(settings.SITE_URL)
    host = (site and site.hostname) or ""
    if settings.DEBUG and not settings.MAILROOM_LOCAL:
        hint = "Unset DEBUG, or set MAILROOM_LOCAL=1 on a developer's machine."
        yield Error("DEBUG is on: error pages would show users settings and data.", hint=hint, id="mailroom.E035")
    if settings.MAILROOM_LOCAL and settings.HTTPS and not is_loopback(host):
        hint = "Unset MAILROOM_LOCAL. It is set in the environment or in the file that MAILROOM_ENV_FILE names."
        yield Error("MAILROOM_LOCAL is on, but SITE_URL is a public site.", hint=hint, id="mailroom.E036")


def email_backend(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    hint = "Name a backend that sends, or unset EMAIL_BACKEND: Mailroom then queues what send_mail() sends."
    name = settings.EMAIL_BACKEND
    try:
        usable = issubclass(import_string(name), BaseEmailBackend)
    except (ImportError, TypeError):
        usable = False
    if not usable:
        yield Error("EMAIL_BACKEND is not an email backend.", hint=hint, id="mailroom.E038")
    if not settings.MAILROOM_LOCAL and name in [
        f"django.core.mail.backends.{kind}.EmailBackend" for kind in LOSING_BACKENDS
    ]:
        yield Error("EMAIL_BACKEND prints or drops email instead of sending it.", hint=hint, id="mailroom.E038")
