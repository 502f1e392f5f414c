"""Store a provider's events before the webhook answers. A reader interprets them later."""

from collections.abc import Sequence

from notifications.models import EventBatch, ProviderEvent
from notifications.providers.base.webhook import RawEvent

# Up to DIRECT events get a row each. Larger requests get a row for each PART of them: 40 000 rows would block a web
# thread for 15 s.
DIRECT = 1000
PART = 500


def store(provider: str, events: Sequence[RawEvent]) -> None:
    """Write all new events in one statement. Raises database errors.

    A provider may repeat an event dozens of times; it is stored once.
    """
    if len(events) > DIRECT:
        parts = [events[start : start + PART] for start in range(0, len(events), PART)]
        EventBatch.objects.bulk_create([_batch(provider, part) for part in parts])
        return
    rows = [ProviderEvent(provider=provider, event_id=event.event_id, payload=event.payload) for event in events]
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)


def _batch(provider: str, events: Sequence[RawEvent]) -> EventBatch:
    return EventBatch(provider=provider, events=[[event.event_id, event.payload] for event in events])
