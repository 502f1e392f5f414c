"""Keep what a provider reports before it is told "got it"; what it means is read afterwards."""

from collections.abc import Sequence

from notifications.models import ProviderEvent
from notifications.providers.feedback import RawEvent


def store(provider: str, events: Sequence[RawEvent]) -> None:
    """Write the events that are not there yet, all or none. Raises Django's database errors.

    A provider repeats events up to dozens of times; each is stored once.
    """
    rows = [ProviderEvent(provider=provider, event_id=event.event_id, payload=event.payload) for event in events]
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)
