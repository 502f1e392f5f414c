"""Suppress addresses because of events, and lift suppressions.

A batch of any size costs the same few statements, and none of them reads the whole list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now

from notifications.conf import settings
from notifications.events import consent
from notifications.models import ProviderEvent, Suppression
from notifications.models.suppression import ON_PROVIDERS_LIST
from notifications.providers.base.webhook import InterpretedEvent
from notifications.rules.outcomes import BounceKind, EventType, Outcome
from notifications.rules.suppression import Reason, reason_for
from notifications.signals import unsubscribed

_Key = tuple[str, str]
RECHECK_DELIVERED = "a message was delivered"
# Counts the soft-bounced messages of each address since its last delivery or the last lift of its suppression. Each
# subquery is about one address, so that an index answers it. Providers try for a few days at most, so older messages
# are not read.
_SOFT_BOUNCES = """
SELECT address, (
    SELECT count(DISTINCT event.message_id) FROM notifications_providerevent AS event
    WHERE event.recipient = address AND event.bounce = %(soft)s
      AND event.received_at > greatest(
        statement_timestamp() - %(within)s,
        (
            SELECT max(outcome_at) FROM notifications_message WHERE to_address = address AND outcome = %(delivered)s
              AND sent_at > statement_timestamp() - %(within)s - interval '7 days'
        ),
        (
            SELECT max(lifted_at) FROM notifications_suppression AS lifted
            WHERE lifted.address = asked.address AND reason = %(reason)s AND lifted_at IS NOT NULL
        )
      )
)
FROM unnest(%(addresses)s::text[]) AS asked (address)
"""
# One statement with arrays: the ORM's bulk_create would take most of the time of a batch of bounces. All readers use
# the same order, which avoids deadlocks.
_PUT = """
INSERT INTO notifications_suppression (address, reason, detail, provider, event_id, lift_reason, provider_lift)
SELECT address, reason, detail, provider, event_id, '', ''
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])
    AS found (address, reason, detail, provider, event_id)
ORDER BY address, reason ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Report:
    """An event and its meaning. `event.recipient` is the address in our spelling."""

    event: ProviderEvent
    interpreted: InterpretedEvent

    @property
    def occurred_at(self) -> datetime:
        return self.event.occurred_at or self.event.received_at


def consider(reports: Sequence[Report]) -> None:
    """Suppress the addresses of a batch of events, and lift suppressions that they revoke."""
    soft = _soft_bounces({one.event.recipient for one in reports if one.interpreted.bounce is BounceKind.SOFT})
    found = [(one, reason) for one in reports if (reason := _reason(one, soft.get(one.event.recipient, 0)))]
    put = _insert(found)
    if left := frozenset(address for address, reason in put if reason in consent.ENDS_BULK):
        unsubscribed.send(sender=Suppression, addresses=left)
    for kind, (reason, why) in _BACK.items():
        _lift_revoked(_revoked(reports, kind, found, reason), reason, why)


def suppress(address: str, reason: Reason, detail: str) -> None:
    # Does nothing if the address is already suppressed for this reason.
    row = Suppression(address=address.lower(), reason=reason, detail=detail[:300])
    Suppression.objects.bulk_create([row], ignore_conflicts=True)


def lift_rechecked(message_ids: Iterable[UUID]) -> None:
    # Lifts the suppressions that a delivered message rechecked.
    if ids := set(message_ids):
        rechecked = Suppression.objects.filter(lifted_at__isnull=True, recheck_id__in=ids)
        rechecked.update(lifted_at=Now(), lift_reason=RECHECK_DELIVERED)


def lift(suppression: Suppression, by: AbstractBaseUser, why: str) -> bool:
    # By an operator. False if it was lifted before.
    with transaction.atomic():
        # A recheck may have taken it off the provider's list before, and a bounce put it there again.
        lifted = Suppression.objects.filter(pk=suppression.pk, lifted_at__isnull=True).update(
            lifted_at=Now(), lifted_by=by, lift_reason=why[:300], **ON_PROVIDERS_LIST
        )
        if lifted:
            consent.follow_lift([suppression.address], Reason(suppression.reason))
    return bool(lifted)


def _reason(report: Report, soft_bounces: int) -> Reason | None:
    return reason_for(
        report.interpreted.also or report.interpreted.kind,
        report.interpreted.bounce,
        soft_bounces=soft_bounces,
        soft_bounce_limit=settings.SOFT_BOUNCE_LIMIT,
    )


def _insert(found: Sequence[tuple[Report, Reason]]) -> list[_Key]:
    # Skips events from before an operator lifted the same suppression.
    lifted = _lifted({(one.event.recipient, reason) for one, reason in found})
    rows = [
        (one.event.recipient, reason.value, one.interpreted.detail[:300], one.event.provider, one.event.pk)
        for one, reason in found
        if not _is_old(one, lifted.get((one.event.recipient, reason)))
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_PUT, [list(column) for column in zip(*rows, strict=True)])
    return [(address, reason) for address, reason, *_ in rows]


def _is_old(report: Report, lifted_at: datetime | None) -> bool:
    return bool(lifted_at and report.event.occurred_at and lifted_at > report.event.occurred_at)


def _lifted(keys: set[_Key]) -> dict[_Key, datetime]:
    # The last lift for each address and reason.
    if not keys:
        return {}
    rows = Suppression.objects.filter(address__in={address for address, _ in keys}, lifted_at__isnull=False)
    latest = rows.order_by().values_list("address", "reason").annotate(Max("lifted_at"))
    return {(address, reason): lifted_at for address, reason, lifted_at in latest}


_BACK = {EventType.NOT_SPAM: (Reason.COMPLAINT, "the recipient marked the email as no spam")}


def _revoked(
    reports: Sequence[Report], kind: EventType, found: Sequence[tuple[Report, Reason]], reason: Reason
) -> set[str]:
    # The addresses whose last event is of `kind` rather than one that suppresses for `reason`.
    events = [(one.occurred_at, True, one.event.recipient) for one in reports if one.interpreted.kind is kind]
    events += [(one.occurred_at, False, one.event.recipient) for one, why in found if why is reason]
    last = {address: revokes for _, revokes, address in sorted(events)}
    return {address for address, revokes in last.items() if revokes}


def _lift_revoked(addresses: set[str], reason: Reason, why: str) -> None:
    # The recipients have revoked these complaints.
    if addresses:
        in_force = Suppression.objects.in_force(addresses).filter(reason=reason)
        if lifted := list(in_force.values_list("address", flat=True)):
            in_force.update(lifted_at=Now(), lift_reason=why)
            consent.follow_lift(lifted, reason)


def _soft_bounces(addresses: set[str]) -> dict[str, int]:
    # By address, since the last delivery or lift.
    if not addresses:
        return {}
    asked: dict[str, Any] = {
        "addresses": sorted(addresses),
        "within": timedelta(days=settings.SOFT_BOUNCE_DAYS),
        "reason": Reason.SOFT_BOUNCES.value,
        "soft": BounceKind.SOFT.value,
        "delivered": Outcome.DELIVERED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SOFT_BOUNCES, asked)
        return dict(cursor.fetchall())
