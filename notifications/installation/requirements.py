"""System checks of the project's database and user model. None connects."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist
from django.db import DEFAULT_DB_ALIAS, connections, router

from notifications.conf import settings
from notifications.models import Message

POSTGRESQL = 'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "…"}}'


def postgresql(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    vendor = connections[DEFAULT_DB_ALIAS].vendor
    if vendor != "postgresql":
        yield Error(
            f"The default database is {vendor}; Mailroom needs PostgreSQL.", hint=POSTGRESQL, id="mailroom.E070"
        )


def times(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # A time without a zone happens twice when the clocks go back.
    if not settings.USE_TZ:
        yield Error(
            "USE_TZ is off, but Mailroom compares times of several machines.",
            hint="Set USE_TZ = True and use timezone.now(); TIME_ZONE may stay as it is.",
            id="mailroom.E080",
        )


def routers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # A message is written in the transaction that causes it, and refers to its user.
    for model, what in ((Message, "messages"), (get_user_model(), "users")):
        alias = router.db_for_write(model)
        if alias != DEFAULT_DB_ALIAS:
            yield Error(
                f"A database router keeps {what} in the database {alias!r}; Mailroom needs them in the default one.",
                hint=f"Let the router return None, or {DEFAULT_DB_ALIAS!r}, for {model._meta.label}.",  # noqa: SLF001 - Django documents it
                id="mailroom.E071",
            )


def broker(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # Celery prefers these to its configuration. The engine reads the lengths of the queues at REDIS_URL.
    for name in ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"):
        if os.environ.get(name, settings.REDIS_URL).partition("?")[0] != settings.REDIS_URL:
            yield Error(
                f"The environment variable {name} names another broker than REDIS_URL.",
                hint=f"Set REDIS_URL to the same address, or unset {name}.",
                id="mailroom.E076",
            )


def user_model(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    model = get_user_model()
    name = model.get_email_field_name()
    try:
        model._meta.get_field(name)  # noqa: SLF001 - Django documents it
    except FieldDoesNotExist:
        yield Error(
            f"The user model {model._meta.label} has no field {name!r}, so its users have no address.",  # noqa: SLF001 - the same
            hint="Set EMAIL_FIELD on the model to the name of the field with the address.",
            id="mailroom.E072",
        )
