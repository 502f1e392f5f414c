"""Hand message ids to Celery: the only producer. A broker failure costs the caller at most WAIT_S and no message."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import kombu.exceptions
import redis
from celery import current_app

from notifications.rules.states import Stream
from notifications.runtime.redis_client import Cooldown, client

logger = logging.getLogger(__name__)

DELIVER_TASK = "mailroom.deliver"
# How long a process leaves the broker alone after a publish that failed.
COOLDOWN_S = 5.0
# A person waits for a publish no longer than this, whatever the broker does: connecting alone is a dozen round trips,
# and no time limit of a socket covers the looking up of a name.
WAIT_S = 0.1
# After so long the rest of a batch is left to the relay's next round, which has other things to do as well.
LONGEST_S = 4.0

BROKER_ERRORS = (kombu.exceptions.KombuError, redis.RedisError, OSError)

cooldown = Cooldown(COOLDOWN_S)
# One thread for all requests of a process: one connection, which stays warm, and one request that finds the trouble.
# It starts with the first publish, after any fork; a process that ends waits for it.
_publisher = ThreadPoolExecutor(1, thread_name_prefix="publisher")


def publish(chunks: Sequence[Sequence[UUID]], stream: Stream) -> int:
    """Publish one task for each chunk of ids and return how many were published.

    Stops at the first failure, and after LONGEST_S, and handles broker errors: what is not published stays due for the
    relay. A publish that timed out may still arrive; the claim makes that harmless.
    """
    if cooldown.active:
        return 0
    until = time.monotonic() + LONGEST_S
    for done, chunk in enumerate(chunks):
        if time.monotonic() > until:
            return done
        try:
            _publish_one(chunk, stream)
        except BROKER_ERRORS as error:
            cooldown.start()
            logger.warning("publishing failed (%s); the relay will carry what is left", type(error).__name__)
            return done
    return len(chunks)


def publish_for_request(chunks: Sequence[Sequence[UUID]], stream: Stream) -> int:
    """Publish as `publish` does, but return after WAIT_S: a user waits.

    A publish that has begun continues in its thread; the relay publishes one that is still queued.
    """
    if cooldown.active:
        return 0
    publishing = _publisher.submit(publish, chunks, stream)
    try:
        return publishing.result(WAIT_S)
    except TimeoutError:
        publishing.cancel()
        return 0


def _publish_one(message_ids: Sequence[UUID], stream: Stream) -> None:
    single = len(message_ids) == 1
    current_app.send_task(
        DELIVER_TASK,
        args=[[str(message_id) for message_id in message_ids]],
        argsrepr=str(message_ids[0]) if single else f"{len(message_ids)} messages, {stream.value}",
        # One interactive message is one task, found in Flower and in the results by the message's own id.
        task_id=str(message_ids[0]) if single else None,
        queue=stream.value,
        # The default exchange needs no declaration; it would cost two round trips.
        declare=[],
    )


def queue_depths() -> dict[Stream, int]:
    """Return how many tasks wait in each stream's queue. Raises redis.RedisError."""
    pipeline = client().pipeline(transaction=False)
    for stream in Stream:
        pipeline.llen(stream.value)
    return dict(zip(Stream, pipeline.execute(), strict=True))


def connect_to_broker() -> None:
    # The first message of this process then need not wait for a connection.
    try:
        with current_app.producer_pool.acquire(block=True, timeout=COOLDOWN_S) as producer:
            producer.channel  # noqa: B018 - looking at it connects
    except BROKER_ERRORS as error:
        logger.warning("the broker is away (%s); the relay will carry what is enqueued", type(error).__name__)
