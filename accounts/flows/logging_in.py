"""Record the time of a log-in."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.utils import timezone

from accounts.models import User

# The id of Django's own receiver. Django ignores a second receiver with the same id, and `accounts` is installed first.
DJANGOS_OWN = "update_last_login"


def connect() -> None:
    user_logged_in.connect(record_log_in, dispatch_uid=DJANGOS_OWN)


def record_log_in(user: User, **kwargs: Any) -> None:
    # Django's save() raises if the account is deleted at that moment.
    user.last_login = timezone.now()
    User.objects.filter(pk=user.pk).update(last_login=user.last_login)
