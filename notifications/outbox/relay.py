"""Publishes what is due and nobody carries, and takes back what a lost worker left behind.

The broker is only the fast way: everything here is decided from the rows, so a wiped broker, a lost publish and a
killed worker all end in the same few statements.
"""

import logging
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from notifications import kinds, states
from notifications.models import DeliveryAttempt, Message, ProviderEvent
from notifications.models.message import AT_ITS_PLACE
from notifications.models.transactions import brief
from notifications.outbox import broker, outlook
from notifications.redis_client import client, pace_key
from notifications.states import Event, Status, Stream

logger = logging.getLogger(__name__)

# Holds the run id of the server that keeps the queues. If it is gone, so are they; if it is another server's, then that
# one came up from an older copy: a restart loses the last second of its log, a fail-over what was not replicated yet.
SENTINEL = "mailroom:sentinel"
# Of a server that does not tell, or not us (an access list without INFO): only a wipe is noticed then.
UNNAMED = "unnamed"
# A broker that is full or a replica answers whoever reads; a write says whether it takes messages.
TRIAL = "mailroom:relay-was-here"
# A chunk is worked off by one thread; a backlog smaller than this many chunks is cut finer, so that more threads share.
SPREAD = 32
RECOVERY_BATCH = 500
# Whoever loses its claim so often in a row, before any hand-over, takes its worker along: it is not tried again.
MOST_LOST_CLAIMS = 5
# From so many on the next try is at a moment of its own, so that the neighbours of such a message get past it.
APART_FROM = 3
APART_S = 10.0
RELEASE_BATCH = 5000
# While the budget holds a stream back the relay hands out a little more than can go, in short rounds: the budget is
# never idle, and the backlog does not go round in circles through the broker.
PACED_ROUND_S = 0.2
PACED_MORE = 1.25
PACED_SPREAD = 8


@dataclass
class Round:
    """What one round of the relay did."""

    recovered: int = 0
    uncertain: int = 0
    settled: int = 0
    # All that was queued became due, because the broker had been away or had lost its memory.
    released: bool = False
    broker_is_away: bool = False
    # What it, or a relay before it, took from the rows may not have been published.
    cut_short: bool = False
    published: dict[Stream, int] = field(default_factory=dict)
    # The budget holds a stream back: what it refused comes back soon.
    paced: bool = False
    # No provider takes mail now: nothing is published but a probe.
    no_way: bool = False

    @property
    def idle(self) -> bool:
        return not (self.recovered or self.uncertain or self.settled or self.released or self.published)


def run_once(before: Round | None = None) -> Round:
    """Do one round; `before` is this relay's last one.

    Raises Django's database errors; a broker that is away only means that nothing is published.
    """
    done = Round()
    done.recovered, done.uncertain = recover_ended_leases()
    done.settled = settle_uncertain()
    if broker.rest.on:
        done.broker_is_away = True
        return done
    try:
        done.released = release_after_loss(unsure=before is not None and (before.broker_is_away or before.cut_short))
        depths = broker.depths()
        ahead = outlook.now()
        paces = held_back(ahead.provider) if ahead.provider else {}
    except redis.RedisError as error:
        logger.warning("the broker is away (%s); nothing is published in this round", type(error).__name__)
        done.broker_is_away = True
        return done
    done.paced = bool(paces)
    if not ahead.provider:
        done.no_way = True
        done.published = publish_probe(depths) if ahead.probe_is_due else {}
        return done
    for stream in Stream:
        if broker.rest.on:
            # Taking what cannot be published would only make its pauses grow.
            break
        if published := top_up(stream, settings.RELAY_HIGH_WATER - depths[stream], pace=paces.get(stream)):
            done.published[stream] = published
    done.broker_is_away = broker.rest.on
    return done


def recover_ended_leases() -> tuple[int, int]:
    """Take back claims whose worker was lost; return how many were not handed over and how many became uncertain.

    What was not handed over goes on in the queue, at its place and each message in a task of its own. One that never
    gets as far as its hand-over ends as a dead letter.
    """
    safe = uncertain = 0
    while True:
        batch = _recover_batch()
        safe, uncertain = safe + batch[0], uncertain + batch[1]
        if sum(batch) < RECOVERY_BATCH:
            return safe, uncertain


def _recover_batch() -> tuple[int, int]:
    with brief():
        ended = list(_locked(Message.objects.filter(status=Status.SENDING, lease_until__lt=Now())))
        safe = [message for message in ended if message.handed_over_at is None]
        handed_over = [message for message in ended if message.handed_over_at is not None]
        _queue_again(safe)
        _free(
            [message.id for message in handed_over],
            Event.WORKER_LOST,
            settle_at=Now() + timedelta(seconds=settings.UNCERTAIN_SETTLE_S),
            status_reason="the worker was lost while the provider was being called",
        )
        # Its own report, if the worker was only frozen, overwrites this one.
        DeliveryAttempt.objects.bulk_create([_lost(message) for message in handed_over], ignore_conflicts=True)
    return len(safe), len(handed_over)


def _queue_again(lost: Sequence[Message]) -> None:
    """End, or queue again, what was claimed by a lost worker and not handed over."""
    counted = {"claims_lost": F("claims_lost") + 1}
    times = {message.id: message.claims_lost + 1 for message in lost}
    at_once = [id_ for id_, lost_claims in times.items() if lost_claims < APART_FROM]
    _free(at_once, Event.LEASE_ENDED, **AT_ITS_PLACE, **counted)
    for id_ in [id_ for id_, lost_claims in times.items() if APART_FROM <= lost_claims < MOST_LOST_CLAIMS]:
        later = Now() + timedelta(seconds=APART_S * random.random())  # noqa: S311 - spreads load, guards nothing
        _free([id_], Event.LEASE_ENDED, relay_after=later, relayed=0, **counted)
    _free(
        [id_ for id_, lost_claims in times.items() if lost_claims >= MOST_LOST_CLAIMS],
        Event.FAILED,
        died_at=Now(),
        error_fingerprint="worker/lost",
        status_reason=f"claimed {MOST_LOST_CLAIMS} times and never handed over: it may take its worker along",
        **counted,
    )


def settle_uncertain() -> int:
    """Queue again what stayed uncertain for the settling time and whose kind prefers twice to never.

    A provider's word goes first: while an event is unread that came before a message's time was over, it waits.
    """
    unread = ProviderEvent.objects.filter(state=ProviderEvent.State.STORED).order_by("received_at")
    oldest = Coalesce(Subquery(unread.values("received_at")[:1]), Now())
    with brief():
        over = Message.objects.filter(status=Status.UNCERTAIN, settle_at__lte=Now(), settle_at__lt=oldest)
        waiting = list(_locked(over))
        again = [message.id for message in waiting if may_resend(message)]
        Message.objects.filter(id__in=again).update(
            status=states.target(Event.SETTLED), settle_at=None, relay_after=Now(), due_at=Now(), resent_uncertain=True
        )
        held = {message.id for message in waiting} - set(again)
        Message.objects.filter(id__in=held).update(settle_at=None)
    return len(again)


def may_resend(message: Message) -> bool:
    """True if its kind prefers a second copy to none: once for every lost answer, within its attempts."""
    kind = kinds.KINDS.get(message.kind)
    if kind is None or kind.on_uncertain is not kinds.OnUncertain.RESEND_ONCE:
        return False
    return message.counted_attempts < kind.max_attempts


def release_after_loss(*, unsure: bool) -> bool:
    """Make all that is queued due for publishing if the broker may have lost some of it, or `unsure` of the last round.

    The sentinel is only set once the release is committed, and only if nobody wiped the broker meanwhile: a relay that
    is killed in between does it again. Publishing a second time is harmless. Raises redis.RedisError.
    """
    server, sentinel = _identity()
    if sentinel == server and not unsure:
        return False
    client().set(SENTINEL, "")
    while _release() == RELEASE_BATCH:
        pass
    client().set(SENTINEL, server, xx=True)
    return True


def _identity() -> tuple[str, str]:
    """Return the broker's run id and the one in the sentinel. Raises redis.RedisError, also if it takes no writes."""
    pipeline = client().pipeline(transaction=False)
    pipeline.set(TRIAL, "")
    pipeline.get(SENTINEL)
    pipeline.info("server")
    answers: list[Any] = pipeline.execute(raise_on_error=False)
    written, sentinel, server = answers
    for answer in (written, sentinel):
        if isinstance(answer, redis.RedisError):
            raise answer
    run_id = server.get("run_id") if isinstance(server, dict) else None
    return str(run_id or UNNAMED), (sentinel or b"").decode()


def _release() -> int:
    """Make one batch of what was published due again and return how many those were.

    Rows that somebody holds are passed over: a worker is claiming them or another relay releases them. Waiting for them
    in another order than theirs would be a deadlock.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_message SET relay_after = statement_timestamp()
            WHERE id IN (
                SELECT id FROM notifications_message
                WHERE status = 'queued' AND stream = ANY(%s)
                  AND relay_after > statement_timestamp() AND due_at <= statement_timestamp()
                LIMIT %s FOR UPDATE SKIP LOCKED
            )
            """,
            [Stream.values, RELEASE_BATCH],
        )
        return int(cursor.rowcount)


def held_back(provider: str) -> dict[Stream, float]:
    """Return the streams that a provider's budget holds back now, and how many messages a second can go of each.

    Raises redis.RedisError.
    """
    paces = zip(Stream, client().mget([pace_key(provider, stream) for stream in Stream]), strict=True)
    return {stream: float(pace) for stream, pace in paces if pace is not None}


def publish_probe(depths: Mapping[Stream, int]) -> dict[Stream, int]:
    """Publish the most urgent message that is due, alone, so that it finds out whether a provider is back."""
    for stream in Stream:
        # At a pace of nothing that is one message.
        if published := top_up(stream, settings.RELAY_HIGH_WATER - depths[stream], pace=0.0):
            return {stream: published}
    return {}


def top_up(stream: Stream, room: int, *, pace: float | None = None) -> int:
    """Publish what is due of a stream in at most `room` tasks; return the number of messages published.

    `pace` is how many messages a second can go, where the budget holds the stream back.
    """
    if room <= 0:
        return 0
    limit, spread = room * settings.RELAY_CHUNK_SIZE, SPREAD
    if pace is not None:
        limit, spread = min(limit, 1 + math.ceil(pace * PACED_ROUND_S * PACED_MORE)), PACED_SPREAD
    due = take_due(stream, limit)
    # Others must not be claimed together with one that may take its worker along.
    alone = Message.objects.filter(id__in=due, claims_lost__gt=0).in_bulk() if due else {}
    others = [message_id for message_id in due if message_id not in alone]
    chunks = cut(others, largest=settings.RELAY_CHUNK_SIZE, spread=min(spread, room) - len(alone))
    chunks += [[message_id] for message_id in alone]
    sent = broker.publish(chunks, stream)
    if unpublished := [message_id for chunk in chunks[sent:] for message_id in chunk]:
        Message.objects.filter(id__in=unpublished, status=Status.QUEUED).update(relay_after=Now())
    return sum(len(chunk) for chunk in chunks[:sent])


def take_due(stream: Stream, limit: int) -> list[UUID]:
    """Take at most `limit` due ids, oldest first, and push their relay time forward: 10 s, 20 s … a lease.

    That is how long a message waits that the broker has lost without losing its memory: a worker that is killed takes
    the rest of its chunk along, claimed or not. Rows that another relay is taking at this moment are passed over.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT id FROM notifications_message
                WHERE status = 'queued' AND stream = %s
                  AND relay_after <= statement_timestamp() AND due_at <= statement_timestamp()
                ORDER BY relay_after LIMIT %s FOR UPDATE SKIP LOCKED
            )
            UPDATE notifications_message AS message
            SET relayed = least(relayed + 1, 1000),
                relay_after = statement_timestamp() + least(%s, 10 * 2 ^ least(relayed, 10)) * interval '1 second'
            FROM due WHERE message.id = due.id
            RETURNING message.id, message.created_at
            """,
            [stream.value, limit, settings.DELIVERY_LEASE_S],
        )
        rows = cursor.fetchall()
    return [message_id for message_id, _ in sorted(rows, key=lambda row: row[1])]


def cut(ids: Sequence[UUID], *, largest: int, spread: int) -> list[Sequence[UUID]]:
    """Cut ids into chunks of at most `largest`, and finer where they would not make `spread` chunks."""
    size = max(1, min(largest, math.ceil(len(ids) / max(spread, 1))))
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _locked(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.order_by().select_for_update(skip_locked=True)[:RECOVERY_BATCH]


def _free(ids: list[UUID], event: Event, **changes: object) -> None:
    if ids:
        Message.objects.filter(id__in=ids).update(
            status=states.target(event), lease_token=None, lease_until=None, handed_over_at=None, **changes
        )


def _lost(message: Message) -> DeliveryAttempt:
    return DeliveryAttempt(
        message=message,
        number=message.attempts,
        provider=message.provider,
        result=DeliveryAttempt.Result.AMBIGUOUS,
        error_code="worker-lost",
        error="the worker was lost while the provider was being called",
    )
