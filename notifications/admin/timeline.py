"""The timeline of one message: its attempts and its provider's events, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from django.utils.translation import gettext as _

from notifications.models import DeliveryAttempt, Message
from notifications.rules.states import Status
from notifications.support.reasons import attempt_in_words, detail_of, reason_in_words

WE = "Mailroom"


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    at: datetime
    who: str
    what: str
    detail: str = ""
    # The event's page shows what the provider reported, unchanged.
    event_id: int | None = None


def timeline(message: Message) -> list[TimelineEntry]:
    # Times are the database's: the providers' clocks differ, and count whole seconds.
    return sorted([*_ours(message), *_theirs(message)], key=attrgetter("at"))


def _ours(message: Message) -> Iterator[TimelineEntry]:
    stream = _("Stream: %(stream)s") % {"stream": message.get_stream_display()}
    yield TimelineEntry(at=message.created_at, who=WE, what=_("Enqueued"), detail=stream)
    attempts = list(message.delivery_attempts.all())
    for attempt in attempts:
        yield _attempt(attempt, was_retried=attempt is not attempts[-1] or message.status == Status.QUEUED)
    # A sent message has a reason only if an operator marked it as sent.
    if message.status_reason and message.status != Status.SENDING:
        # The attempt is recorded after the status, in the same transaction.
        at = max([message.died_at or message.sent_at or message.created_at, *(each.recorded_at for each in attempts)])
        what = message.get_status_display()
        yield TimelineEntry(at=at, who=WE, what=what, detail=reason_in_words(message))
    if message.handed_over_at:
        what = _("Handed over to %(provider)s") % {"provider": message.provider}
        yield TimelineEntry(at=message.handed_over_at, who=WE, what=what)


def _attempt(attempt: DeliveryAttempt, *, was_retried: bool) -> TimelineEntry:
    what = _("Attempt %(number)s with %(provider)s: %(result)s") % {
        "number": attempt.number,
        "provider": attempt.provider,
        "result": attempt_in_words(attempt, will_retry=was_retried),
    }
    took = "" if attempt.duration_ms is None else f"{attempt.duration_ms} ms"
    return TimelineEntry(at=attempt.recorded_at, who=WE, what=what, detail=detail_of(attempt) or took)


def _theirs(message: Message) -> Iterator[TimelineEntry]:
    # Events of one request have one time of ours; they are ordered by the provider's time.
    for event in message.events.order_by("received_at", "occurred_at", "id"):
        kind = event.get_kind_display() or event.get_state_display()
        what = f"{kind} ({event.get_bounce_display()})" if event.bounce else kind
        yield TimelineEntry(at=event.received_at, who=event.provider, what=what, detail=event.detail, event_id=event.pk)
