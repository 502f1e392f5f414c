"""What happened so far, as counters and a histogram, from the table of counters."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from notifications.models.counter import BOUNDS, Counter
from notifications.operations.metrics.exposition import Family, Sample, in_digits

Series: TypeAlias = tuple[str, dict[str, Any], float]

COUNTERS = {
    "attempts": (
        "mailroom_attempts_total",
        "Attempts to hand a message over to a provider, by their first result.",
    ),
    "sent": ("mailroom_sent_total", "Messages that a provider accepted."),
    "events": ("mailroom_events_total", "Events that providers reported."),
}


def totals() -> Iterator[Family]:
    series = list(Counter.objects.values_list("name", "labels", "value"))
    for counter, (name, help_text) in COUNTERS.items():
        samples = [
            Sample(value=value, labels=dict(sorted(labels.items()))) for key, labels, value in series if key == counter
        ]
        yield Family(name=name, kind="counter", help_text=help_text, samples=samples)
    yield Family(
        name="mailroom_delay_seconds",
        kind="histogram",
        help_text="Time from when a message was due to its acceptance by a provider.",
        samples=[*_histogram(series)],
    )


def _histogram(series: Sequence[Series]) -> Iterable[Sample]:
    found: dict[tuple[str, str, float | None], float] = {
        (name, labels["stream"], labels.get("le")): value for name, labels, value in series if "delay" in name
    }
    for stream in sorted({stream for name, stream, _ in found if name == "delay_count"}):
        count = found["delay_count", stream, None]
        for bound in BOUNDS:
            value = found.get(("delay_bucket", stream, bound), 0.0)
            yield Sample(value=value, labels={"stream": stream, "le": in_digits(bound)}, suffix="_bucket")
        yield Sample(value=count, labels={"stream": stream, "le": in_digits(math.inf)}, suffix="_bucket")
        yield Sample(value=found.get(("delay_sum", stream, None), 0.0), labels={"stream": stream}, suffix="_sum")
        yield Sample(value=count, labels={"stream": stream}, suffix="_count")
