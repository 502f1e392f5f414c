"""Recover messages of lost workers, then publish what is due, but not in the broker."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import redis
from django.db import connection
from django.db.models.functions import Now

from notifications.breaker.outlook import outlook
from notifications.budget.keys import pace_key
from notifications.conf import settings
from notifications.models import Message
from notifications.outbox import brake_queue, publish, recover, work
from notifications.rules.states import STATUSES, Status, Stream
from notifications.runtime.redis_client import client

# The broker is only the fast path. All decisions come from the rows, so the same few statements handle a wiped broker,
# a lost publish and a killed worker.

logger = logging.getLogger(__name__)

# The key that holds the run id of the broker's server. If it is gone, so are the queues. If it names another server,
# this one started from an older copy: a restart loses the last second of the log, a fail-over what was not replicated
# yet.
SENTINEL = "mailroom:sentinel"
# The run id of a server that does not report one, or not to us (an access list without INFO). Only a wipe is noticed
# then.
UNNAMED = "unnamed"
# Written in each round, because a full broker and a replica answer reads; only a write shows that it accepts messages.
WRITE_TEST = "mailroom:relay-was-here"
#: A backlog smaller than this many chunks is cut into smaller ones, so that more threads share it.
SPREAD = 32
RELEASE_BATCH = 5000
# While the budget holds a stream back, the relay publishes slightly more than the budget grants, in short rounds: the
# budget is never idle, and the backlog does not circulate through the broker.
PACED_ROUND_S = 0.2
PACED_MORE = 1.25
PACED_SPREAD = 8


@dataclass
class Round:
    """What one round of the relay did."""

    recovered: int = 0
    uncertain: int = 0
    settled: int = 0
    # Everything queued became due, because the broker was unavailable or lost messages.
    released: bool = False
    broker_is_down: bool = False
    # Messages that this or an earlier relay took from the rows may not have been published.
    cut_short: bool = False
    published: dict[Stream, int] = field(default_factory=dict)
    # The budget holds a stream back: the messages that it refused are due again soon.
    paced: bool = False
    # No provider accepts email now: only a probe is published.
    has_no_provider: bool = False

    @property
    def idle(self) -> bool:
        return not (self.recovered or self.uncertain or self.settled or self.released or self.published)


def run_once(before: Round | None = None) -> Round:
    """Run one round; `before` is this relay's previous one.

    Raises database errors. Without a broker, the round publishes nothing.
    """
    done = Round()
    has_work = _recover(done, before)
    if publish.cooldown.active:
        done.broker_is_down = True
        return done
    try:
        done.released = release_after_loss(unsure=before is not None and (before.broker_is_down or before.cut_short))
        if not has_work and not done.released:
            return done
        depths = publish.queue_depths()
        ahead = outlook()
        paces = held_back(ahead.provider) if ahead.provider else {}
    except redis.RedisError as error:
        logger.warning("the broker is unavailable (%s); this round publishes nothing", type(error).__name__)
        done.broker_is_down = True
        return done
    done.paced = bool(paces)
    if not ahead.provider:
        done.has_no_provider = True
        done.published = publish_probe(depths) if ahead.probe_is_due else {}
        return done
    for stream in Stream:
        if publish.cooldown.active:
            # Taking messages that cannot be published would only lengthen their pauses.
            break
        if published := top_up(stream, settings.RELAY_HIGH_WATER - depths[stream], pace=paces.get(stream)):
            done.published[stream] = published
    done.broker_is_down = publish.cooldown.active
    return done


def _recover(done: Round, before: Round | None) -> bool:
    """Recover, settle and release messages. Return False if the round has no work.

    After an idle round, one statement finds that out instead of a dozen. A stream that the budget holds back is work.
    """
    if before is not None and before.idle and not before.paced and not work.has_work():
        return False
    done.recovered, done.uncertain = recover.recover_ended_leases()
    done.settled = recover.settle_uncertain()
    brake_queue.release_due()
    return True


def release_after_loss(*, unsure: bool) -> bool:
    """Make queued messages due again if the broker may have lost some.

    Raises redis.RedisError. `unsure`: the previous round could not find out. The sentinel is set only after the release
    is committed, and only if the broker was not wiped meanwhile: a relay that is killed in between repeats the release.
    Publishing twice is harmless.
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
    """Return the broker's run id and the one in the sentinel.

    Raises redis.RedisError, also if the broker refuses writes.
    """
    pipeline = client().pipeline(transaction=False)
    pipeline.set(WRITE_TEST, "")
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
    # Locked rows are skipped: a worker is claiming them, or another relay is releasing them. Waiting for them in
    # another order would be a deadlock. MATERIALIZED: a plan may evaluate a subquery again for each row, and then
    # release another number of rows than RELEASE_BATCH.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH early AS MATERIALIZED (
                SELECT id FROM notifications_message
                WHERE status = %(queued)s AND stream = ANY(%(streams)s)
                  AND relay_after > statement_timestamp() AND due_at <= statement_timestamp()
                LIMIT %(most)s FOR UPDATE SKIP LOCKED
            )
            UPDATE notifications_message AS message SET relay_after = statement_timestamp()
            FROM early WHERE message.id = early.id
            """,
            {**STATUSES, "streams": Stream.values, "most": RELEASE_BATCH},
        )
        return int(cursor.rowcount)


def held_back(provider: str) -> dict[Stream, float]:
    """Return the streams that a budget holds back, with their messages per second. Raises redis.RedisError."""
    paces = zip(Stream, client().mget([pace_key(provider, stream) for stream in Stream]), strict=True)
    return {stream: float(pace) for stream, pace in paces if pace is not None}


def publish_probe(depths: Mapping[Stream, int]) -> dict[Stream, int]:
    """Publish one task of the most urgent due messages, to probe a provider.

    The first relevant message is the probe; those before it end, those after it return to their places.
    """
    for stream in Stream:
        room = min(1, settings.RELAY_HIGH_WATER - depths[stream])
        # Untried messages first: a refused one may be the cause of its refusal, and says little about the provider.
        if published := top_up(stream, room, untried=True) or top_up(stream, room):
            return {stream: published}
    return {}


def top_up(stream: Stream, room: int, *, pace: float | None = None, untried: bool = False) -> int:
    """Publish what is due in at most `room` tasks; return the number of messages.

    `untried`: only messages without an attempt. `pace` is messages per second, if the budget holds the stream back.
    """
    if room <= 0:
        return 0
    limit, spread = room * settings.RELAY_CHUNK_SIZE, SPREAD
    if pace is not None:
        limit, spread = min(limit, 1 + math.ceil(pace * PACED_ROUND_S * PACED_MORE)), PACED_SPREAD
    due = take_due(stream, limit, untried=untried)
    # A message that may crash its worker is published alone.
    alone = Message.objects.filter(id__in=due, claims_lost__gt=0).in_bulk() if due else {}
    others = [message_id for message_id in due if message_id not in alone]
    chunks = cut(others, largest=settings.RELAY_CHUNK_SIZE, spread=min(spread, room) - len(alone))
    chunks += [[message_id] for message_id in alone]
    # There may be more lone messages than room.
    sent = publish.publish(chunks[:room], stream)
    if unpublished := [message_id for chunk in chunks[sent:] for message_id in chunk]:
        Message.objects.filter(id__in=unpublished, status=Status.QUEUED).update(relay_after=Now())
    return sum(len(chunk) for chunk in chunks[:sent])


def take_due(stream: Stream, limit: int, *, untried: bool = False) -> list[UUID]:
    """Take at most `limit` due ids, oldest first, and postpone their relay time.

    The pause is 10 s, 20 s … up to a lease: how long an unclaimed message waits if its chunk is lost with a worker.
    Rows that another relay is taking are skipped.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT id FROM notifications_message
                WHERE status = %(queued)s AND stream = %(stream)s
                  AND relay_after <= statement_timestamp() AND due_at <= statement_timestamp()
                  AND (attempts = 0 OR NOT %(untried)s)
                ORDER BY relay_after LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            UPDATE notifications_message AS message
            SET relayed = least(relayed + 1, 1000),
                relay_after = statement_timestamp()
                    + least(%(lease_s)s, 10 * 2 ^ least(relayed, 10)) * interval '1 second'
            FROM due WHERE message.id = due.id
            RETURNING message.id, message.created_at
            """,
            {
                **STATUSES,
                "stream": stream.value,
                "untried": untried,
                "limit": limit,
                "lease_s": settings.DELIVERY_LEASE_S,
            },
        )
        rows = cursor.fetchall()
    return [message_id for message_id, _ in sorted(rows, key=lambda row: row[1])]


def cut(ids: Sequence[UUID], *, largest: int, spread: int) -> list[Sequence[UUID]]:
    # Into smaller chunks than `largest`, if that makes fewer than `spread` of them.
    size = max(1, min(largest, math.ceil(len(ids) / max(spread, 1))))
    return [ids[start : start + size] for start in range(0, len(ids), size)]
