"""The surroundings of the code: time, the broker's queues, an operator, and another transaction's locks."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection

from notifications.delivery import replay as dead
from notifications.models import Message, Suppression
from notifications.outbox import publish
from notifications.outbox import settle as settling
from notifications.rules.states import Event, Stream
from notifications.runtime.redis_client import client

# All times in the rows. The clock cannot be changed, so these are moved back together.
TIMES = {
    "notifications_message": (
        *("created_at", "due_at", "expires_at", "sent_at", "died_at", "relay_after", "outcome_at"),
        *("lease_until", "handed_over_at", "settle_at", "slowed_until", "forgotten_at"),
    ),
    "notifications_deliveryattempt": ("recorded_at",),
    "notifications_providerevent": ("read_after", "received_at", "occurred_at"),
    "notifications_pause": ("since", "until", "ended_at"),
    "notifications_suppression": ("created_at", "probed_at", "lifted_at"),
}
_PASS_TIME = ";".join(
    f"UPDATE {table} SET " + ", ".join(f"{column} = {column} - {{0}} * interval '1 second'" for column in columns)  # noqa: S608
    for table, columns in TIMES.items()
)


def pass_time(seconds: float) -> None:
    """Let time pass: move the times in rows, and end the broker's cooldown."""
    with connection.cursor() as cursor:
        cursor.execute(_PASS_TIME.format(seconds))
    if seconds >= publish.COOLDOWN_S:
        publish.cooldown.clear()


def reset_world() -> None:
    """Empty the tables and the broker, and limit waits for locks.

    TRUNCATE would cost more: it makes new files for every table.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SET lock_timeout = '10s'; DELETE FROM notifications_suppression; DELETE FROM notifications_providerevent;"
            "DELETE FROM notifications_deliveryattempt; DELETE FROM notifications_message; DELETE FROM accounts_user"
        )
    client().flushdb()
    publish.cooldown.clear()


def tasks_in_the_broker() -> list[list[UUID]]:
    """Take all tasks from the broker and return the ids of each."""
    found = []
    for stream in Stream:
        while isinstance(raw := client().rpop(stream.value), bytes):
            args, _, _ = json.loads(base64.b64decode(json.loads(raw)["body"]))
            found.append([UUID(message_id) for message_id in args[0]])
    return found


def settle_by_hand(message_id: UUID, event: Event) -> None:
    """Settle an uncertain message as an operator."""
    settle = {Event.SETTLED: settling.send_again, Event.DROPPED: settling.drop, Event.ACCEPTED: settling.mark_sent}
    settle[event](Message.objects.get(id=message_id), "an operator")


def suppressed() -> set[str]:
    return set(Suppression.objects.filter(lifted_at__isnull=True).values_list("address", flat=True))


def replay(message_id: UUID) -> None:
    """Replay a dead letter as an operator."""
    dead.replay(Message.objects.filter(id=message_id), dry_run=False)


@contextmanager
def another_connection() -> Iterator[psycopg.Connection]:
    parameters = connection.get_connection_params() | {"cursor_factory": None, "context": None}
    with psycopg.connect(**parameters) as other:
        yield other


@contextmanager
def held(other: psycopg.Connection, message_id: UUID) -> Iterator[None]:
    """Lock the message's row in another transaction until the block ends."""
    with other.transaction():
        other.execute("SELECT FROM notifications_message WHERE id = %s FOR UPDATE", [message_id])
        yield


def lease_s() -> float:
    return float(settings.DELIVERY_LEASE_S)
