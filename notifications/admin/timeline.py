"""The timeline of one message: its attempts and its provider's events, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from notifications.models import Message
from notifications.rules.states import Status


@dataclass(frozen=True, kw_only=True)
class Line:
    at: datetime
    who: str
    what: str
    detail: str = ""
    # The event's own page shows what the provider said, word for word.
    event_id: int | None = None


def timeline(message: Message) -> list[Line]:
    # Times are the database's: the providers' clocks differ, and count whole seconds.
    return sorted([*_ours(message), *_theirs(message)], key=attrgetter("at"))


def _ours(message: Message) -> Iterator[Line]:
    yield Line(at=message.created_at, who="Mailroom", what="enqueued", detail=f"{message.stream} stream")
    for attempt in message.delivery_attempts.all():
        what = f"attempt {attempt.number} through {attempt.provider}: {attempt.result}"
        took = "" if attempt.duration_ms is None else f"after {attempt.duration_ms} ms"
        yield Line(at=attempt.recorded_at, who="Mailroom", what=what, detail=attempt.error or took)
    # A sent one has a reason only if a person says that it was sent.
    if message.status_reason and message.status != Status.SENDING:
        recorded = (attempt.recorded_at for attempt in message.delivery_attempts.all())
        at = message.died_at or message.sent_at or max([message.created_at, *recorded])
        yield Line(at=at, who="Mailroom", what=message.status, detail=message.status_reason)
    if message.handed_over_at:
        yield Line(at=message.handed_over_at, who="Mailroom", what=f"handed over to {message.provider}")


def _theirs(message: Message) -> Iterator[Line]:
    # Events that came in one request have one time of ours; among them the provider's own counts.
    for event in message.events.order_by("received_at", "occurred_at", "id"):
        what = f"{event.kind} ({event.bounce})" if event.bounce else event.kind
        yield Line(at=event.received_at, who=event.provider, what=what, detail=event.detail, event_id=event.pk)
