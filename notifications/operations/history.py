"""Read the hourly counts: 24 hours, 30 days, and the recipient domains."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from notifications.rules.histogram import BUCKETS, percentile, total
from notifications.rules.states import Stream

HOURS, DAYS = 24, 30


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Messages of a period. `failed` became dead letters, `rejected` were dropped by the provider."""

    sent: int = 0
    delivered: int = 0
    deferred: int = 0
    hard_bounced: int = 0
    soft_bounced: int = 0
    complained: int = 0
    failed: int = 0
    rejected: int = 0

    @property
    def bounced(self) -> int:
        return self.hard_bounced + self.soft_bounced

    @property
    def lost(self) -> int:
        return self.failed + self.rejected

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in _NAMES})


@dataclass(frozen=True, kw_only=True)
class Period:
    """An hour or a day."""

    starts_at: datetime
    counts: Counts


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds from due to accepted by the provider, and from accepted to delivered."""

    p50_s: float | None
    p95_s: float | None
    to_delivered_p50_s: float | None


@dataclass(frozen=True, kw_only=True)
class DomainHistory:
    """The last 24 hours of a recipient domain. The name is empty for all others together."""

    name: str
    counts: Counts
    to_delivered: Sequence[int]

    @property
    def to_delivered_s(self) -> float | None:
        # The median.
        return percentile(self.to_delivered, 0.5)


@dataclass(frozen=True, kw_only=True)
class History:
    """`counted_s`: seconds since the current hour was counted, None if no hour was."""

    hours: Sequence[Period]
    days: Sequence[Period]
    #: Of the last 24 hours, and of the current hour and the one before.
    speed: Mapping[Stream, Speed]
    recent: Mapping[Stream, Speed]
    #: By provider.
    last_24_h: Mapping[str, Counts]
    last_30_days: Mapping[str, Counts]
    counted_s: float | None


_NAMES = tuple(one.name for one in fields(Counts))
_OF_DOMAINS = tuple(name for name in _NAMES if name not in {"failed", "rejected"})
_SUMS = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in _NAMES)
# Each hour and each day has a row, also without email. A day is one of the site's time zone.
_PERIODS = f"""
SELECT 'hour', starts_at, starts_at > statement_timestamp() - interval '2 hours', stream, provider, to_provider,
    to_delivered, (
        SELECT extract(epoch FROM statement_timestamp() - counted_at)::float FROM notifications_rolleduphour
        ORDER BY hour DESC LIMIT 1
    ),
    {", ".join(f"coalesce({name}, 0)" for name in _NAMES)}
FROM generate_series(
    date_trunc('hour', statement_timestamp(), 'UTC') - (%(hours)s - 1) * interval '1 hour',
    statement_timestamp(), interval '1 hour'
) AS period (starts_at) LEFT JOIN notifications_hourlytraffic ON hour = starts_at
UNION ALL
SELECT 'day', day AT TIME ZONE %(zone)s, false, NULL, provider, NULL, NULL, NULL, {_SUMS}
FROM generate_series(
    date_trunc('day', statement_timestamp() AT TIME ZONE %(zone)s) - (%(days)s - 1) * interval '1 day',
    statement_timestamp() AT TIME ZONE %(zone)s, interval '1 day'
) AS period (day) LEFT JOIN notifications_hourlytraffic
    ON hour >= day AT TIME ZONE %(zone)s AND hour < (day + interval '1 day') AT TIME ZONE %(zone)s
GROUP BY day, provider
ORDER BY 1, 2
"""  # noqa: S608 - made of constants only
_DOMAINS = f"""
SELECT domain, ARRAY[{", ".join(f"sum(to_delivered[{n}])" for n in range(1, BUCKETS + 1))}]::bigint[],
    {", ".join(f"sum({name})::bigint" for name in _OF_DOMAINS)}
FROM notifications_hourlydomain
WHERE hour > statement_timestamp() - %(hours)s * interval '1 hour'
GROUP BY domain
ORDER BY domain = '', sum(sent + delivered + deferred + hard_bounced + soft_bounced + complained) DESC, domain
"""  # noqa: S608 - the same


def read_history() -> History:
    rows = [_Row(Counts(**dict(zip(_NAMES, row[8:], strict=True))), *row[:8]) for row in _rows(_PERIODS)]
    hours, days = [row for row in rows if row.unit == "hour"], [row for row in rows if row.unit == "day"]
    return History(
        hours=_periods(hours),
        days=_periods(days),
        speed=_speed(hours),
        recent=_speed(row for row in hours if row.is_recent),
        last_24_h=_by_provider(hours),
        last_30_days=_by_provider(days),
        counted_s=hours[0].counted_s,
    )


def read_domains(most: int) -> list[DomainHistory]:
    """Return the recipient domains with most email, most first, and all others as the last."""
    found = [
        DomainHistory(
            name=name, counts=Counts(**dict(zip(_OF_DOMAINS, counts, strict=True))), to_delivered=to_delivered
        )
        for name, to_delivered, *counts in _rows(_DOMAINS)
    ]
    named = [domain for domain in found if domain.name][:most]
    others = [domain for domain in found if domain not in named]
    return [*named, together(others)] if others else named


def together(some: Sequence[DomainHistory]) -> DomainHistory:
    return DomainHistory(
        name="",
        counts=sum((domain.counts for domain in some), Counts()),
        to_delivered=total(domain.to_delivered for domain in some),
    )


@dataclass(frozen=True)
class _Row:
    counts: Counts
    unit: str
    starts_at: datetime
    is_recent: bool
    stream: str | None
    provider: str | None
    to_provider: Sequence[int]
    to_delivered: Sequence[int]
    counted_s: float | None


def _periods(rows: Iterable[_Row]) -> list[Period]:
    found: dict[datetime, Counts] = defaultdict(Counts)
    for row in rows:
        found[row.starts_at] += row.counts
    return [Period(starts_at=starts_at, counts=counts) for starts_at, counts in found.items()]


def _by_provider(rows: Iterable[_Row]) -> dict[str, Counts]:
    found: dict[str, Counts] = defaultdict(Counts)
    for row in rows:
        if row.provider:
            found[row.provider] += row.counts
    return dict(found)


def _speed(rows: Iterable[_Row]) -> dict[Stream, Speed]:
    found: dict[Stream, list[_Row]] = {stream: [] for stream in Stream}
    for row in rows:
        if row.stream:
            found[Stream(row.stream)].append(row)
    return {stream: _speed_of(of_stream) for stream, of_stream in found.items()}


def _speed_of(rows: Sequence[_Row]) -> Speed:
    to_provider, to_delivered = total(row.to_provider for row in rows), total(row.to_delivered for row in rows)
    return Speed(
        p50_s=percentile(to_provider, 0.5),
        p95_s=percentile(to_provider, 0.95),
        to_delivered_p50_s=percentile(to_delivered, 0.5),
    )


def _rows(statement: str) -> list[tuple[Any, ...]]:
    terms: dict[str, Any] = {"hours": HOURS, "days": DAYS, "zone": timezone.get_default_timezone_name()}
    with connection.cursor() as cursor:
        cursor.execute(statement, terms)
        return list(cursor.fetchall())
