"""Refuse to start a process with wrong settings. Celery and gunicorn do not run Django's system checks."""

from typing import NoReturn

from django.core.checks import ERROR
from django.core.management.base import BaseCommand, SystemCheckError

from notifications.conf import settings
from notifications.runtime.roles import Role


def require(*allowed: Role) -> None:
    """Require a role and working settings. Raises SystemCheckError, which names what to change."""
    if settings.MAILROOM_ROLE not in allowed:
        names = " or ".join(role.value for role in allowed)
        raise SystemCheckError(f"MAILROOM_ROLE is wrong: this process needs MAILROOM_ROLE={names}. (mailroom.E001)")
    BaseCommand().check(fail_level=ERROR)


def start(*allowed: Role) -> None:
    # For callers that do not handle SystemCheckError.
    try:
        require(*allowed)
    except SystemCheckError as error:
        refuse_to_start(str(error))


def refuse_to_start(why: str) -> NoReturn:
    # Ends the process without a traceback.
    raise SystemExit(f"Mailroom does not start: {why}") from None
