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
# Of one hourly run; less than a job may take before it is called stuck.
LONGEST_S = 600.0
GIVEN_UP = "given up for another address"


def purge_unconfirmed(*, longest_s: float = LONGEST_S) -> int:
    """Delete the accounts of `due()` for at most `longest_s`; return how many.

    Each is a transaction, for which Django sends pre_delete. No farewell is sent: the address may be a stranger's. The
    log names accounts by their numbers.
    """
    ends, deleted = time.monotonic() + longest_s, 0
    for user, _ in due(ends=ends):
        if reason := _purge(user.pk):
            logger.info("purge: account %d deleted: %s", user.pk, reason)
            deleted += 1
    return deleted


def purge_all() -> int:
    return purge_unconfirmed(longest_s=inf)


def due(*, ends: float = inf) -> Iterator[tuple[User, str]]:
    """Yield the accounts to delete now, each with the reason, until `ends` (monotonic).

    In pages by key, which need no cursor that stays open while the rows are deleted.
    """
    after = 0
    while page := list(_candidates().filter(pk__gt=after).order_by("pk")[:PAGE]):
        after = page[-1].pk
        links = links_sent(page)
        for user in page:
            if time.monotonic() > ends:
                logger.info("purge: time is up, the next run continues")
                return
            if reason := why(user, links.get(user.pk), timezone.now()):
                yield user, reason


def links_sent(users: Sequence[User]) -> Mapping[int, datetime]:
    """Return, by user, when the newest confirmation link was sent or dropped.

    Left out are users who were sent no welcome email at that address, and users for whom a link is still waiting.
    """
    welcomed = last_sent(users, [WELCOME.name])
    # A password reset confirms the address too.
    links = last_sent(users, [WELCOME.name, PASSWORD_RESET.name])
    return {pk: sent_at for pk, sent_at in links.items() if pk in welcomed}


def why(user: User, link_sent_at: datetime | None, now: datetime) -> str:
    """Return why an unconfirmed account may be deleted; empty if it may not.

    `link_sent_at` is when the newest confirmation link left, or was dropped by the bounce brake; None if none did, or
    if one is still waiting.
    """
    if user.replaced_at is not None:
        return GIVEN_UP
    if link_sent_at is None or link_sent_at + _time_to_confirm() > now:
        return ""
    return f"not confirmed since {link_sent_at:%Y-%m-%d}, when a link was sent or dropped"


def _time_to_confirm() -> timedelta:
    return max(timedelta(days=settings.UNCONFIRMED_DAYS), settings.CONFIRMATION_TIMEOUT)


def _candidates() -> QuerySet[User]:
    # Only accounts of the sign-up form: imported users and those an operator added have no `sign_up`.
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
    """Delete one account; return the reason, or nothing if it is no longer due."""
    with transaction.atomic():
        # Decided again under a lock. Who confirms or changes the account right now holds it, and keeps the account.
        user = _candidates().filter(pk=pk).select_for_update(skip_locked=True).first()
        if user is None:
            return ""
        reason = why(user, links_sent([user]).get(pk), timezone.now())
        if reason:
            user.delete()
        return reason
