"""A process that cannot do its work must not start: Celery and gunicorn do not enforce Django's system checks."""

from django.core.checks import ERROR
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from config.environment import ROLE, Role


def require(*allowed: Role) -> None:
    """Refuse to go on in a wrong role or with a setting that cannot work.

    Raises ImproperlyConfigured (role) or SystemCheckError (settings), each naming what to change.
    """
    if ROLE not in allowed:
        names = " or ".join(role.value for role in allowed)
        raise ImproperlyConfigured(f"MAILROOM_ROLE is {ROLE!r}; this process needs MAILROOM_ROLE={names}.")
    BaseCommand().check(fail_level=ERROR)
