"""Record a log-in in the account."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.utils import timezone

from accounts.models import User

# Django's own receiver has this name. The first to take it is the only one: `accounts` is installed before.
DJANGOS_OWN = "update_last_login"


def connect() -> None:
    user_logged_in.connect(note_log_in, dispatch_uid=DJANGOS_OWN)


def note_log_in(user: User, **kwargs: Any) -> None:
    # Django's save() raises if the account is deleted at that moment.
    user.last_login = timezone.now()
    User.objects.filter(pk=user.pk).update(last_login=user.last_login)
