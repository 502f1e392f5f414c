"""Addresses that get no more mail: how they come on the list, heal, and are taken off it by a person."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.db.models.functions import Now

from accounts.models import User
from notifications.models import Message, ProviderEvent, Suppression
from notifications.models.suppression import SuppressionQuerySet
from notifications.outcomes import BounceKind, FeedbackKind, Outcome
from notifications.providers.accounts import LIST_KEEPERS
from notifications.providers.feedback import Feedback
from notifications.providers.mail import ErrorClass, ProviderError
from notifications.suppressions import Reason, reason_for

logger = logging.getLogger(__name__)


def consider(event: ProviderEvent, feedback: Feedback) -> None:
    """Suppress the address of an event that was understood, or lift what it proves wrong."""
    if feedback.kind is FeedbackKind.NOT_SPAM:
        _lift(Suppression.objects.all(), [event.recipient], Reason.COMPLAINT, "the recipient said that it was no spam")
        return
    reason = reason_for(
        feedback.kind,
        feedback.bounce,
        soft_bounces=_soft_bounces(event.recipient) if feedback.bounce is BounceKind.SOFT else 0,
        soft_bounce_limit=settings.SOFT_BOUNCE_LIMIT,
    )
    if reason:
        suppress(event.recipient, reason, feedback.detail, event)


def suppress(address: str, reason: Reason, detail: str, event: ProviderEvent | None = None) -> None:
    """Put an address on the list; one that is there for this reason already stays as it is."""
    row = Suppression(
        address=address.lower(),
        reason=reason,
        detail=detail[:300],
        provider=event.provider if event else "",
        event=event,
    )
    Suppression.objects.bulk_create([row], ignore_conflicts=True)


def heal(addresses: Iterable[str]) -> None:
    """A probe was delivered: what was kept back for soft bounces is so no longer."""
    probed = Suppression.objects.filter(probed_at__isnull=False)
    _lift(probed, addresses, Reason.SOFT_BOUNCES, "a mail was delivered")


def lift(suppression: Suppression, by: User, why: str) -> bool:
    """Take an address off the list by a person's word; False if somebody else has done it meanwhile."""
    return bool(
        Suppression.objects.filter(pk=suppression.pk, lifted_at__isnull=True).update(
            lifted_at=Now(), lifted_by=by, lift_reason=why[:300]
        )
    )


def lift_at_providers(limit: int = 20) -> int:
    """Take what was lifted here off the providers' own lists, outside of any transaction; return how many were done.

    A provider that cannot be reached is asked again next time, for a day.
    """
    recent = Suppression.objects.filter(lifted_at__gt=Now() - timedelta(days=1), provider_lift="")
    waiting = list(recent.filter(provider__in=LIST_KEEPERS).order_by("lifted_at")[:limit])
    said = {row.pk: _take_off(row) for row in waiting}
    for pk, text in said.items():
        Suppression.objects.filter(pk=pk).update(provider_lift=text[:300])
    return sum(map(bool, said.values()))


def _take_off(row: Suppression) -> str:
    """Return what came of it, in words for the operator; empty if it is to be tried again."""
    try:
        was_on_it = LIST_KEEPERS[row.provider]().unsuppress(row.address)
    except ProviderError as error:
        if error.error_class in {ErrorClass.PERMANENT, ErrorClass.MISCONFIGURED}:
            return f"{row.provider} refused to take it off its list: {error}"
        logger.warning("%s did not take an address off its list: %s", row.provider, error)
        return ""
    return f"taken off the list of {row.provider}" if was_on_it else f"it was on no list of {row.provider}"


def _lift(among: SuppressionQuerySet, addresses: Iterable[str], reason: Reason, why: str) -> None:
    if found := set(addresses):
        among.in_force(found).filter(reason=reason).update(lifted_at=Now(), lift_reason=why)


def _soft_bounces(address: str) -> int:
    """How many mails to an address bounced softly in the time that counts, since one was last delivered."""
    since = Now() - timedelta(days=settings.SOFT_BOUNCE_DAYS)
    bounced = ProviderEvent.objects.filter(recipient=address, bounce=BounceKind.SOFT, received_at__gt=since)
    delivered = Message.objects.filter(to_address__iexact=address, outcome=Outcome.DELIVERED)
    if last := delivered.aggregate(last=Max("outcome_at"))["last"]:
        bounced = bounced.filter(received_at__gt=last)
    return bounced.values("message").distinct().count()
