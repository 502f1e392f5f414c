"""Recover what lost workers hold, and settle what stays uncertain. A part of the relay's round."""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least, Now
from django.utils import timezone

from notifications import kinds
from notifications.models import DeliveryAttempt, EventBatch, Message, ProviderEvent, transitions
from notifications.models.message import ACCOUNT_DELETED, REQUEUE_IN_ORDER
from notifications.models.transactions import short_transaction
from notifications.rules.states import Event, Status

RECOVERY_BATCH = 500
# Whoever loses its claim so often in a row, before any hand-over, takes its worker along: it is not tried again.
MOST_LOST_CLAIMS = 5
CLAIMS_LOST = f"claimed {MOST_LOST_CLAIMS} times and never handed over: it may take its worker along"
# From so many on the next try is at a moment of its own, so that the neighbours of such a message get past it.
APART_FROM = 3
APART_S = 10.0
# So often a message is sent again because an answer was lost: nobody gets more than one mail and this many copies,
# unless a person wants it.
MOST_RESENDS = 3
# So long an uncertain message waits before the next relay decides, where this one does not know its kind.
UNKNOWN_KIND_S = 30.0


def recover_ended_leases() -> tuple[int, int]:
    """Take claims from lost workers; return the counts of queued and uncertain messages.

    A message that was not handed over keeps its place in the queue and gets a task of its own. If it never reaches its
    hand-over, it ends as a dead letter.
    """
    safe = uncertain = 0
    while True:
        batch = _recover_batch()
        safe, uncertain = safe + batch[0], uncertain + batch[1]
        if sum(batch) < RECOVERY_BATCH:
            return safe, uncertain


def _recover_batch() -> tuple[int, int]:
    with short_transaction():
        ended = list(_locked(Message.objects.filter(status=Status.SENDING, lease_until__lt=Now())))
        safe = [message for message in ended if message.handed_over_at is None]
        handed_over = [message for message in ended if message.handed_over_at is not None]
        _queue_again(safe)
        transitions.apply(
            Event.WORKER_LOST,
            _by_id(message.id for message in handed_over),
            status_reason="the worker was lost while the provider was being called",
        )
        # Its own report, if the worker was only frozen, overwrites this one.
        DeliveryAttempt.objects.bulk_create([_lost(message) for message in handed_over], ignore_conflicts=True)
    return len(safe), len(handed_over)


def _queue_again(lost: Sequence[Message]) -> None:
    # These were claimed by a lost worker and not handed over.
    counted: dict[str, Any] = {"claims_lost": F("claims_lost") + 1}
    times = {message.id: message.claims_lost + 1 for message in lost}
    at_once = [id_ for id_, lost_claims in times.items() if lost_claims < APART_FROM]
    transitions.apply(Event.LEASE_ENDED, _by_id(at_once), **REQUEUE_IN_ORDER, **counted)
    for id_ in [id_ for id_, lost_claims in times.items() if APART_FROM <= lost_claims < MOST_LOST_CLAIMS]:
        later = Now() + timedelta(seconds=APART_S * random.random())  # noqa: S311 - spreads load, guards nothing
        transitions.apply(Event.LEASE_ENDED, _by_id([id_]), relay_after=later, relayed=0, **counted)
    transitions.apply(
        Event.FAILED,
        _by_id(id_ for id_, lost_claims in times.items() if lost_claims >= MOST_LOST_CLAIMS),
        error_fingerprint="worker/lost",
        status_reason=CLAIMS_LOST,
        **counted,
    )


def settle_uncertain() -> int:
    """Queue uncertain messages after the settling time and return how many were queued.

    Only kinds with at-least-once delivery are queued. An anonymized message is dropped; every other one waits for an
    operator. While a provider's report from before the message's expiry is unread, the message waits.
    """
    # An unread event is due since it was received, so the index of what is due finds the oldest.
    unread = ProviderEvent.objects.filter(state=ProviderEvent.State.STORED).order_by("read_after")
    unsplit = EventBatch.objects.order_by("received_at")
    oldest = Least(*(Coalesce(Subquery(each.values("received_at")[:1]), Now()) for each in (unread, unsplit)))
    with short_transaction():
        over = Message.objects.filter(status=Status.UNCERTAIN, settle_at__lte=Now(), settle_at__lt=oldest)
        waiting = list(_locked(over))
        again = {message.id for message in waiting if may_resend(message)}
        anonymized = {message.id for message in waiting if message.anonymized_at}
        transitions.apply(Event.SETTLED, _by_id(again))
        transitions.apply(Event.DROPPED, _by_id(anonymized), status_reason=ACCOUNT_DELETED)
        # A relay that runs a newer version knows what these kinds prefer.
        unknown = {message.id for message in waiting if _may_be_known_elsewhere(message)} - anonymized
        _by_id(unknown).update(settle_at=Now() + timedelta(seconds=UNKNOWN_KIND_S))
        held = {message.id for message in waiting} - again - anonymized - unknown
        _by_id(held).update(settle_at=None)
    return len(again)


def may_resend(message: Message) -> bool:
    # At-least-once: one copy for each lost response, but not without end. After its expiry a message is not sent again,
    # and not marked expired either: the provider may have accepted it.
    if message.anonymized_at:
        return False
    kind = kinds.KINDS.get(message.kind)
    if kind is None or kind.guarantee is not kinds.DeliveryGuarantee.AT_LEAST_ONCE:
        return False
    if message.expires_at and message.expires_at <= timezone.now():
        return False
    return message.uncertain_resends < MOST_RESENDS and message.counted_attempts < kind.max_attempts


def _may_be_known_elsewhere(message: Message) -> bool:
    over_at = message.expires_at or message.created_at + timedelta(seconds=kinds.UNKNOWN_MAX_AGE_S)
    return message.kind not in kinds.KINDS and over_at > timezone.now()


def _locked(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.order_by().select_for_update(skip_locked=True)[:RECOVERY_BATCH]


def _by_id(ids: Iterable[UUID]) -> QuerySet[Message]:
    return Message.objects.filter(id__in=list(ids))


def _lost(message: Message) -> DeliveryAttempt:
    return DeliveryAttempt(
        message=message,
        number=message.attempts,
        provider=message.provider,
        result=DeliveryAttempt.Result.AMBIGUOUS,
        error_code="worker-lost",
        error="the worker was lost while the provider was being called",
    )
