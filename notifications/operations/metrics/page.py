"""The page that Prometheus reads, and the periodic job that counts for it."""

from collections.abc import Iterator

from django.db import connection

from notifications.models import ProviderEvent
from notifications.models.counter import count_next
from notifications.operations.metrics.exposition import Family, Sample, render_metrics
from notifications.operations.metrics.gauges import gauges
from notifications.operations.metrics.totals import totals
from notifications.operations.problems import findings
from notifications.operations.status import MOST, collect
from notifications.providers.registry import PROVIDERS

State = ProviderEvent.State
# After an outage of beat, one run counts at most this many spans.
MOST_SPANS = 12
_EVENT_LAG = """
SELECT count(*), greatest(0, extract(epoch FROM statement_timestamp() - least(min(read_after), (
    SELECT received_at FROM notifications_eventbatch ORDER BY received_at LIMIT 1
))))::float
FROM (
    SELECT read_after FROM notifications_providerevent
    WHERE state IN (%(stored)s, %(parked)s) AND read_after <= statement_timestamp() ORDER BY read_after LIMIT %(most)s
) AS waiting
"""


def metrics() -> str:
    """Return all metrics as text. Raises database errors, but not those of Redis."""
    status = collect()
    return render_metrics([*gauges(status, findings(status)), *_event_lag(), *totals()])


def update_counters() -> None:
    for _ in range(MOST_SPANS):
        if not count_next(list(PROVIDERS)):
            return


def _event_lag() -> Iterator[Family]:
    with connection.cursor() as cursor:
        cursor.execute(_EVENT_LAG, {"stored": State.STORED, "parked": State.PARKED, "most": MOST})
        count, oldest_s = cursor.fetchone()
    yield Family(
        name="mailroom_waiting_events",
        kind="gauge",
        help_text="Providers' events that are stored and not yet processed; at most 10,000.",
        samples=[Sample(value=count)],
    )
    yield Family(
        name="mailroom_event_lag_seconds",
        kind="gauge",
        help_text="How long the oldest of them has waited.",
        samples=[Sample(value=oldest_s or 0.0)],
    )
