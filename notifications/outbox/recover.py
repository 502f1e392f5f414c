"""Recover the messages of lost workers, and settle uncertain ones. Part of the relay's round."""

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
#: After this many lost claims in a row, all before a hand-over, a message is a dead letter: it may crash its workers.
MAX_LOST_CLAIMS = 5
LOST_IN_CALL = "the worker was lost during the call to the provider"
WORKER_LOST = "worker-lost"
CLAIMS_LOST = f"claimed {MAX_LOST_CLAIMS} times and never handed over: it may crash its workers"
#: From this many on, a message is retried at a random time within SPREAD_S, so that its neighbours get past it.
SPREAD_FROM = 3
SPREAD_S = 10.0
#: How often a message is resent after a lost answer: a recipient gets at most this many duplicates, unless an operator
#: resends it too.
MAX_RESENDS = 3
#: How long an uncertain message of an unknown kind waits before the next relay decides.
UNKNOWN_KIND_S = 30.0


def recover_ended_leases() -> tuple[int, int]:
    """End the claims of lost workers; return the counts of queued and uncertain messages.

    A message that was not handed over keeps its place in the queue and is published alone. If it never reaches its
    hand-over, it becomes a dead letter.
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
            status_reason=LOST_IN_CALL,
        )
        # If the worker was only frozen, its report overwrites this one.
        DeliveryAttempt.objects.bulk_create([_lost(message) for message in handed_over], ignore_conflicts=True)
    return len(safe), len(handed_over)


def _queue_again(lost: Sequence[Message]) -> None:
    # For messages that were claimed by a lost worker and not handed over.
    counted: dict[str, Any] = {"claims_lost": F("claims_lost") + 1}
    times = {message.id: message.claims_lost + 1 for message in lost}
    in_order = [id_ for id_, lost_claims in times.items() if lost_claims < SPREAD_FROM]
    transitions.apply(Event.LEASE_ENDED, _by_id(in_order), **REQUEUE_IN_ORDER, **counted)
    for id_ in [id_ for id_, lost_claims in times.items() if SPREAD_FROM <= lost_claims < MAX_LOST_CLAIMS]:
        later = Now() + timedelta(seconds=SPREAD_S * random.random())  # noqa: S311 - not for security
        transitions.apply(Event.LEASE_ENDED, _by_id([id_]), relay_after=later, relayed=0, **counted)
    transitions.apply(
        Event.FAILED,
        _by_id(id_ for id_, lost_claims in times.items() if lost_claims >= MAX_LOST_CLAIMS),
        error_fingerprint="worker/lost",
        status_reason=CLAIMS_LOST,
        **counted,
    )


def settle_uncertain() -> int:
    """Queue uncertain messages after the settling time and return how many were queued.

    Only kinds with at-least-once delivery are queued. Anonymized messages are dropped; all others wait for an operator.
    While an event that was received before a message's settling time is unread, the message waits.
    """
    # Unread events are due since they were received, so the index of due events finds the oldest.
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
        # A relay of a newer version may know these kinds.
        unknown = {message.id for message in waiting if _may_be_known_elsewhere(message)} - anonymized
        _by_id(unknown).update(settle_at=Now() + timedelta(seconds=UNKNOWN_KIND_S))
        held = {message.id for message in waiting} - again - anonymized - unknown
        _by_id(held).update(settle_at=None)
    return len(again)


def may_resend(message: Message) -> bool:
    # At-least-once: one copy for each lost response, up to MAX_RESENDS. After its expiry, a message is not resent, and
    # not marked as expired either: the provider may have accepted it.
    if message.anonymized_at:
        return False
    kind = kinds.KINDS.get(message.kind)
    if kind is None or kind.guarantee is not kinds.DeliveryGuarantee.AT_LEAST_ONCE:
        return False
    if message.expires_at and message.expires_at <= timezone.now():
        return False
    return message.uncertain_resends < MAX_RESENDS and message.counted_attempts < kind.max_attempts


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
        error_code=WORKER_LOST,
        error=LOST_IN_CALL,
    )
