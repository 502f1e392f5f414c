"""Addresses that get no more mail: how they come on the list, heal, and are taken off it by a person."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

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
        complaints = Suppression.objects.in_force([event.recipient]).filter(reason=Reason.COMPLAINT)
        complaints.update(lifted_at=Now(), lift_reason="the recipient said that it was no spam")
        return
    reason = reason_for(
        feedback.also or feedback.kind,
        feedback.bounce,
        soft_bounces=_soft_bounces(event.recipient) if feedback.bounce is BounceKind.SOFT else 0,
        soft_bounce_limit=settings.SOFT_BOUNCE_LIMIT,
    )
    if reason:
        suppress(event.recipient, reason, feedback.detail, event)


def suppress(address: str, reason: Reason, detail: str, event: ProviderEvent | None = None) -> None:
    """Put an address on the list; one that is there for this reason already stays as it is.

    What happened before a person lifted it is no news.
    """
    if event and event.occurred_at and _lifted(address, reason).filter(lifted_at__gt=event.occurred_at).exists():
        return
    row = Suppression(
        address=address.lower(),
        reason=reason,
        detail=detail[:300],
        provider=event.provider if event else "",
        event=event,
    )
    Suppression.objects.bulk_create([row], ignore_conflicts=True)


def heal(message_ids: Iterable[UUID]) -> None:
    """Messages were delivered: what one of them has probed takes mail again."""
    probed = Suppression.objects.filter(lifted_at__isnull=True, probe_id__in=set(message_ids))
    probed.update(lifted_at=Now(), lift_reason="a mail was delivered")


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
    # In no order: those of a provider that is away must not stand before the others for ever.
    done = 0
    for row in recent.filter(provider__in=LIST_KEEPERS).order_by("?")[:limit]:
        said = _take_off(row)
        Suppression.objects.filter(pk=row.pk).update(provider_lift=said[:300])
        done += bool(said)
    return done


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


def _lifted(address: str, reason: Reason) -> SuppressionQuerySet:
    return Suppression.objects.filter(address=address.lower(), reason=reason, lifted_at__isnull=False)


def _soft_bounces(address: str) -> int:
    """How many mails to an address bounced softly of late, since one was delivered or a person lifted it."""
    since = Now() - timedelta(days=settings.SOFT_BOUNCE_DAYS)
    bounced = ProviderEvent.objects.filter(recipient=address, bounce=BounceKind.SOFT, received_at__gt=since)
    delivered = Message.objects.filter(to_address=address, outcome=Outcome.DELIVERED)
    forgiven = (
        delivered.aggregate(last=Max("outcome_at"))["last"],
        _lifted(address, Reason.SOFT_BOUNCES).aggregate(last=Max("lifted_at"))["last"],
    )
    if known := list(filter(None, forgiven)):
        bounced = bounced.filter(received_at__gt=max(known))
    return bounced.values("message").distinct().count()
