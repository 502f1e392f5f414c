"""Publish message ids to Celery. A broker failure costs a request at most WAIT_S, and never loses a message."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Protocol
from uuid import UUID

import kombu.exceptions
import redis
from celery import current_app

from notifications.outbox.congestion import QueueLengths
from notifications.rules.states import Stream
from notifications.runtime.celery import RESULTS
from notifications.runtime.redis_client import Cooldown, client
from notifications.runtime.task_names import task_name
from notifications.runtime.transport import DELIVER_TASK

logger = logging.getLogger(__name__)

#: How long a process does not publish after a failure.
COOLDOWN_S = 5.0
#: The longest that a request waits for its publish. Timeouts of sockets would not do: connecting takes a dozen round
#: trips, and no timeout covers the lookup of a name.
WAIT_S = 0.1
#: After this long, the rest of a batch is left to the relay's next round, because a round has other work too.
LONGEST_S = 4.0

#: Publishes of a process that may wait for the one in progress, so that a slow moment leaves none to the relay, and a
#: slow broker few to a process that ends.
MOST_WAITING = 8

BROKER_ERRORS = (kombu.exceptions.KombuError, redis.RedisError, OSError)

cooldown = Cooldown(COOLDOWN_S)
lengths = QueueLengths()
# One thread for all requests of a process: one warm connection, and only one request meets a broken broker. The thread
# starts with the first publish, after any fork; at its end, the process waits for it.
_publisher = ThreadPoolExecutor(1, thread_name_prefix="publisher")
_places = BoundedSemaphore(1 + MOST_WAITING)
# One question about the queues at a time, so that those of a burst do not wait before its publishes.
_asking = BoundedSemaphore(1)


class Publishable(Protocol):
    """A message, or what is known of it."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...


Chunk = Sequence[Publishable]


def publish(chunks: Sequence[Chunk], stream: Stream) -> int:
    """Publish one task for each chunk of messages and return how many were published.

    Stops at the first broker error and after LONGEST_S; the relay publishes the rest. A publish that timed out may
    still arrive, which is harmless: only the first claim succeeds.
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
            logger.warning("publishing failed (%s); the relay will publish the rest", type(error).__name__)
            return done
    return len(chunks)


def publish_for_request(chunks: Sequence[Chunk], stream: Stream) -> int:
    """Publish, but return after WAIT_S, because a user waits.

    The publish continues in its thread. If too many wait there, this one is left to the relay. So it is where tasks are
    called eagerly, such as in a project's tests, which have no broker.
    """
    if cooldown.active or current_app.conf.task_always_eager or not _places.acquire(blocking=False):
        return 0
    publishing = _publisher.submit(publish, chunks, stream)
    publishing.add_done_callback(lambda _: _places.release())
    try:
        return publishing.result(WAIT_S)
    except TimeoutError:
        return 0


def _publish_one(chunk: Chunk, stream: Stream) -> None:
    message_ids = [str(message.id) for message in chunk]
    single = len(message_ids) == 1
    current_app.send_task(
        DELIVER_TASK,
        args=[message_ids],
        argsrepr=message_ids[0] if single else f"{len(message_ids)} messages, {stream.value}",
        # The name in Flower and the log.
        shadow=task_name([message.kind for message in chunk]),
        # A single message's task has the message's id, by which Flower and the results find it.
        task_id=message_ids[0] if single else None,
        queue=stream.value,
        # The default exchange needs no declaration, which would cost two round trips. Without these, a route or a
        # default of the project could send the task elsewhere.
        declare=[],
        exchange="",
        exchange_type="direct",
        priority=0,
        # A backend such as Redis would subscribe to each task: a round trip, and memory that is never freed.
        ignore_result=current_app.conf.result_backend != RESULTS,
    )


def queue_depths() -> dict[Stream, int]:
    """Return how many tasks wait in each stream's queue. Raises redis.RedisError."""
    pipeline = client().pipeline(transaction=False)
    for stream in Stream:
        pipeline.llen(stream.value)
    return dict(zip(Stream, pipeline.execute(), strict=True))


def check_queues(enqueued: int) -> None:
    """Ask now and then how long the queues are, after that number of messages more.

    Returns immediately; the publisher's thread asks.
    """
    if cooldown.active or not lengths.must_check(enqueued) or not _asking.acquire(blocking=False):
        return
    _publisher.submit(_check_queues).add_done_callback(lambda _: _asking.release())


def _check_queues() -> None:
    if cooldown.active:
        return
    try:
        lengths.note(queue_depths())
    except redis.RedisError as error:
        cooldown.start()
        logger.warning("the broker is unavailable (%s); the relay will publish what is enqueued", type(error).__name__)


def connect_to_broker() -> None:
    # So that the first message of this process does not wait for a connection.
    try:
        with current_app.producer_pool.acquire(block=True, timeout=COOLDOWN_S) as producer:
            producer.channel  # noqa: B018 - this connects
    except BROKER_ERRORS as error:
        logger.warning("the broker is unavailable (%s); the relay will publish what is enqueued", type(error).__name__)
