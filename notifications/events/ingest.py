"""Store what a provider reports before the webhook answers. A reader interprets it afterwards."""

from collections.abc import Sequence

from notifications.models import EventBatch, ProviderEvent
from notifications.providers.base.webhook import RawEvent

# Of so many events a row each is written while the provider waits. Of more, a row for every PART of them: forty
# thousand rows would hold a web thread for a quarter of a minute.
DIRECT = 1000
PART = 500


def store(provider: str, events: Sequence[RawEvent]) -> None:
    """Write the events that are new, all or none.

    Raises database errors. A provider repeats events up to dozens of times; each is stored once.
    """
    if len(events) > DIRECT:
        parts = [events[start : start + PART] for start in range(0, len(events), PART)]
        EventBatch.objects.bulk_create([_batch(provider, part) for part in parts])
        return
    rows = [ProviderEvent(provider=provider, event_id=event.event_id, payload=event.payload) for event in events]
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)


def _batch(provider: str, events: Sequence[RawEvent]) -> EventBatch:
    return EventBatch(provider=provider, events=[[event.event_id, event.payload] for event in events])
