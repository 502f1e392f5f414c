"""Accounts that nobody ever confirmed or used are deleted after a while."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import mails
from accounts.models import User

# In one go; the rest is the next hour's.
LIMIT = 1_000


def purge_unconfirmed(limit: int = LIMIT) -> int:
    """Delete at most `limit` accounts that were made UNCONFIRMED_DAYS ago and never confirmed, or were given up for
    another address; return how many.

    Who has logged in, is staff or was closed by an administrator stays, and so does who may still have a link that
    works. No farewell is said: it would go to somebody who perhaps never was here. Each account is a transaction of its
    own, and Django's pre_delete is sent for it.
    """
    deleted = 0
    for pk in _overdue().order_by("pk").values_list("pk", flat=True).iterator():
        if deleted == limit:
            break
        deleted += _purge(pk)
    return deleted


def _overdue() -> QuerySet[User]:
    before = timezone.now() - timedelta(days=settings.UNCONFIRMED_DAYS)
    return User.objects.filter(
        confirmed_at=None,
        last_login=None,
        is_staff=False,
        is_superuser=False,
        is_active=True,
    ).filter(Q(date_joined__lt=before) | Q(replaced_at__isnull=False))


def _purge(pk: int) -> bool:
    with transaction.atomic():
        # Asked again under a lock. Whoever is confirming or changing the account right now has it, and keeps it.
        user = _overdue().filter(pk=pk).select_for_update(skip_locked=True).first()
        if user is None or (user.replaced_at is None and _may_have_link(user)):
            return False
        user.delete()
    return True


def _may_have_link(user: User) -> bool:
    newest = next(iter(mails.office().history(user, 1)), None)
    return newest is not None and newest.written_at > timezone.now() - settings.CONFIRMATION_TIMEOUT
