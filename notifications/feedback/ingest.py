"""Keep what a provider reports before it is told "got it"; what it means is read afterwards."""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from notifications.models import ProviderEvent
from notifications.providers.feedback import RawEvent

LONGEST_ID = 200
BATCH = 500


def store(provider: str, events: Sequence[RawEvent]) -> None:
    """Write the events that are not there yet, all or none. Raises Django's database errors."""
    rows = [
        ProviderEvent(provider=provider, event_id=_event_id(event.event_id), payload=storable(event.payload))
        for event in events
    ]
    # One statement for a usual request; a provider repeats events up to dozens of times, and each is stored once.
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True, batch_size=max(BATCH, len(rows)))


def storable(value: Any) -> Any:
    """Return a JSON value as PostgreSQL takes it: jsonb knows no null characters, lone surrogates, NaN or infinity.

    One event that cannot be stored would otherwise make the provider repeat its whole batch for a day.
    """
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {storable(name): storable(inner) for name, inner in value.items()}
        case list():
            return [storable(inner) for inner in value]
        case _:
            return value


def _event_id(given: str) -> str:
    clean = storable(given)
    return clean if len(clean) <= LONGEST_ID else hashlib.sha256(clean.encode()).hexdigest()
