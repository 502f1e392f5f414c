"""System checks of Django's settings for email."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's own name for it
from django.utils.module_loading import import_string

from notifications.conf import settings
from notifications.providers.base import compose

#: The email backend that queues.
BACKEND = "notifications.backend.OutboxBackend"
OF_TEST_RUNNERS = "django.core.mail.backends.locmem.EmailBackend"


def queueing_backend(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if settings.EMAIL_BACKEND != OF_TEST_RUNNERS and not _is_queueing():
        yield Warning(
            "EMAIL_BACKEND does not queue: an email of send_mail() is lost if its server is down.",
            hint=f'Set it to "{BACKEND}", or put mailroom.W017 into SILENCED_SYSTEM_CHECKS.',
            id="mailroom.W017",
        )


def server_email(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    try:
        compose.sender_header(settings.SERVER_EMAIL)
    except compose.BadSenderError as error:
        if _is_queueing() and (settings.ADMINS or settings.MANAGERS):
            yield Warning(
                f"SERVER_EMAIL cannot be used, so mail_admins() and mail_managers() fail: {error}.",
                hint="Set it to an address the provider may send from, like errors@example.com.",
                id="mailroom.W018",
            )


def _is_queueing() -> bool:
    try:
        classes = import_string(settings.EMAIL_BACKEND).__mro__
    except (ImportError, AttributeError):
        # Django raises it when the first email is sent.
        return False
    return any(each.__module__ == BACKEND.rpartition(".")[0] for each in classes)
