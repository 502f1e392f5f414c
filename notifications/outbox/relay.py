"""Recover messages of lost workers, then publish what is due, but not in the broker."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis
from django.db import connection

from notifications.breaker.outlook import outlook
from notifications.budget.keys import pace_key
from notifications.models.pause import WAITS_FOR_RESUME
from notifications.outbox import backlog, brake_queue, pausing, publish, recover, work
from notifications.rules.states import STATUSES, Stream
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
RELEASE_BATCH = 5000


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
    # More may be due in these streams; the next round can publish it when their queues are this short.
    refill_at: dict[Stream, int] = field(default_factory=dict)
    # The budget holds a stream back: the messages that it refused are due again soon.
    paced: bool = False
    # No provider accepts email now: only a probe is published.
    has_no_provider: bool = False
    # More messages of these streams are paused than a round can park; the next one goes on.
    parking: set[Stream] = field(default_factory=set)

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
        done.published = publish_probe(depths, done.parking) if ahead.probe_is_due else {}
        return done
    _publish(done, depths, ahead.provider, paces)
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
    pausing.release_ended()
    done.parking = pausing.park()
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
            f"""
            WITH early AS MATERIALIZED (
                SELECT id FROM notifications_message
                WHERE status = %(queued)s AND stream = ANY(%(streams)s)
                  AND relay_after > statement_timestamp() AND due_at <= statement_timestamp()
                  AND NOT {WAITS_FOR_RESUME}
                LIMIT %(most)s FOR UPDATE SKIP LOCKED
            )
            UPDATE notifications_message AS message SET relay_after = statement_timestamp()
            FROM early WHERE message.id = early.id
            """,  # noqa: S608 - made of constants only
            {**STATUSES, "streams": Stream.values, "most": RELEASE_BATCH},
        )
        return int(cursor.rowcount)


def held_back(provider: str) -> dict[Stream, float]:
    """Return the streams that a budget holds back, with their messages per second. Raises redis.RedisError."""
    paces = zip(Stream, client().mget([pace_key(provider, stream) for stream in Stream]), strict=True)
    return {stream: float(pace) for stream, pace in paces if pace is not None}


def _publish(done: Round, depths: Mapping[Stream, int], provider: str, paces: Mapping[Stream, float]) -> None:
    for stream in Stream:
        if publish.cooldown.active:
            # Taking messages that cannot be published would only lengthen their pauses.
            break
        if stream in done.parking:
            continue
        plan = backlog.task_plan(backlog.largest_batch(stream, provider), paces.get(stream))
        room = plan.high_water - depths[stream]
        published = backlog.top_up(stream, room, plan)
        if published:
            done.published[stream] = published
        if published >= plan.limit(room) and plan.pace is None:
            done.refill_at[stream] = plan.high_water // 2
    done.broker_is_down = publish.cooldown.active


def publish_probe(depths: Mapping[Stream, int], without: Collection[Stream] = ()) -> dict[Stream, int]:
    """Publish one task of the most urgent due messages, to probe a provider.

    The first relevant message is the probe; those before it end, those after it return to their places.
    """
    plan = backlog.task_plan()
    for stream in [stream for stream in Stream if stream not in without]:
        room = min(1, plan.high_water - depths[stream])
        # Untried messages first: a refused one may be the cause of its refusal, and says little about the provider.
        if published := backlog.top_up(stream, room, plan, untried=True) or backlog.top_up(stream, room, plan):
            return {stream: published}
    return {}


def has_room(done: Round) -> bool:
    """Return whether half of a queue that left a backlog is gone. False without the broker."""
    if not done.refill_at:
        return False
    try:
        depths = publish.queue_depths()
    except redis.RedisError:
        return False
    return any(depths[stream] <= depth for stream, depth in done.refill_at.items())
