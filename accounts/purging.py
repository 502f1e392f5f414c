"""Delete accounts that were never confirmed."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import inf

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.emails import PASSWORD_RESET, WELCOME
from accounts.models import User
from notifications import last_sent

logger = logging.getLogger(__name__)

PAGE = 200
# The limit of one hourly run, shorter than the time after which a job counts as stuck.
TIME_LIMIT_S = 600.0
ABANDONED = "abandoned for another address"


def purge_unconfirmed(*, time_limit_s: float = TIME_LIMIT_S) -> int:
    """Delete the accounts of `due()` for at most `time_limit_s`; return how many.

    Each account is one transaction. No email is sent: the address may belong to another person. The log names accounts
    by id.
    """
    ends, deleted = time.monotonic() + time_limit_s, 0
    for user, _ in due(ends=ends):
        if reason := _purge(user.pk):
            logger.info("purge: account %d deleted: %s", user.pk, reason)
            deleted += 1
    return deleted


def purge_all() -> int:
    return purge_unconfirmed(time_limit_s=inf)


def due(*, ends: float = inf) -> Iterator[tuple[User, str]]:
    """Yield the accounts to delete, each with the reason, until `ends` (monotonic).

    Reads pages by key, so that no cursor stays open while rows are deleted.
    """
    after = 0
    while page := list(_candidates().filter(pk__gt=after).order_by("pk")[:PAGE]):
        after = page[-1].pk
        links = links_sent(page)
        for user in page:
            if time.monotonic() > ends:
                logger.info("purge: time limit reached, the next run continues")
                return
            if reason := reason_to_purge(user, links.get(user.pk), timezone.now()):
                yield user, reason


def links_sent(users: Sequence[User]) -> Mapping[int, datetime]:
    """Return when the newest confirmation link was sent or dropped, by user id.

    Leaves out users without a welcome email to that address, and users for whom a link is still queued.
    """
    welcomed = last_sent(users, [WELCOME.name])
    # A password reset confirms the address too.
    links = last_sent(users, [WELCOME.name, PASSWORD_RESET.name])
    return {pk: sent_at for pk, sent_at in links.items() if pk in welcomed}


def reason_to_purge(user: User, link_sent_at: datetime | None, now: datetime) -> str:
    """Return why an unconfirmed account may be deleted; empty if it may not.

    `link_sent_at` is when the newest confirmation link was sent, or dropped by the bounce brake; None if there was
    none, or if one is still queued.
    """
    if user.replaced_at is not None:
        return ABANDONED
    if link_sent_at is None or link_sent_at + _time_to_confirm() > now:
        return ""
    return f"not confirmed since {link_sent_at:%Y-%m-%d}, when a link was sent or dropped"


def _time_to_confirm() -> timedelta:
    return max(timedelta(days=settings.UNCONFIRMED_DAYS), settings.CONFIRMATION_TIMEOUT)


def _candidates() -> QuerySet[User]:
    # Only accounts of the sign-up form: imported users and users added by an operator have no `sign_up`.
    before = timezone.now() - _time_to_confirm()
    return User.objects.filter(
        confirmed_at=None,
        sign_up__isnull=False,
        last_login=None,
        is_staff=False,
        is_superuser=False,
        is_active=True,
    ).filter(Q(date_joined__lt=before) | Q(replaced_at__isnull=False))


def _purge(pk: int) -> str:
    """Delete one account; return the reason, or "" if it is no longer due."""
    with transaction.atomic():
        # Decides again under a lock. A request that confirms or changes the account holds the lock, so it is skipped.
        user = _candidates().filter(pk=pk).select_for_update(skip_locked=True).first()
        if user is None:
            return ""
        reason = reason_to_purge(user, links_sent([user]).get(pk), timezone.now())
        if reason:
            user.delete()
        return reason
