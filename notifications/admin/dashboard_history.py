"""What the dashboard shows of the past: charts, reputation, recipient domains."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from notifications.admin.charts import chart
from notifications.operations.history import Counts, DomainHistory, History, Period, read_domains
from notifications.operations.wording import duration, grouped, percent, short_duration
from notifications.rules.reputation import (
    GMAIL_COMPLAINTS,
    SES_BOUNCES,
    SES_COMPLAINTS,
    Judgement,
    ReputationLimits,
    judge,
    report_rate,
)

MOST_DOMAINS = 20
# The job runs every five minutes.
LATE_S = 900.0
JUDGEMENTS = {
    Judgement.FEW: gettext_lazy("too few to judge"),
    Judgement.OK: "",
    Judgement.NEAR: gettext_lazy("above the first limit"),
    Judgement.OVER: gettext_lazy("above the second limit"),
}


@dataclass(frozen=True, kw_only=True)
class Series:
    """One of the charts."""

    name: str
    title: str | Promise
    value: Callable[[Counts], int]


SERIES = (
    Series(name="sent", title=pgettext_lazy("chart", "Sent"), value=lambda counts: counts.sent),
    Series(name="failed", title=pgettext_lazy("chart", "Failed"), value=lambda counts: counts.lost),
    Series(name="bounced", title=pgettext_lazy("chart", "Bounced"), value=lambda counts: counts.bounced),
    Series(name="complained", title=pgettext_lazy("chart", "Complained"), value=lambda counts: counts.complained),
)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A rate, and the limits of one company for it."""

    title: str | Promise
    limits: ReputationLimits
    reports: Callable[[Counts], int]


MEASURES = (
    Measure(
        title=gettext_lazy("Hard bounces (Amazon SES)"), limits=SES_BOUNCES, reports=lambda counts: counts.hard_bounced
    ),
    Measure(
        title=gettext_lazy("Complaints (Amazon SES)"), limits=SES_COMPLAINTS, reports=lambda counts: counts.complained
    ),
    Measure(
        title=gettext_lazy("Complaints (Gmail)"), limits=GMAIL_COMPLAINTS, reports=lambda counts: counts.complained
    ),
)


def history_shown(history: History) -> dict[str, Any]:
    return {
        "counted": None if history.counted_s is None else duration(history.counted_s),
        "is_late": history.counted_s is None or history.counted_s > LATE_S,
        "spans": [
            _span("hours", _("Last 24 hours"), _("Hour"), history.hours, "H:i"),
            _span("days", _("Last 30 days"), _("Day"), history.days, "MONTH_DAY_FORMAT"),
        ],
        "reputation": [row for provider in sorted(history.last_30_days) for row in _reputation(provider, history)],
        "domains": [_domain(domain) for domain in read_domains(MOST_DOMAINS)],
    }


def _span(name: str, title: str, unit: str, periods: Sequence[Period], form: str) -> dict[str, Any]:
    labels = [
        date_format(timezone.localtime(period.starts_at, timezone.get_default_timezone()), form) for period in periods
    ]
    values = {series.name: [series.value(period.counts) for period in periods] for series in SERIES}
    return {
        "name": name,
        "title": title,
        "unit": unit,
        "charts": [_chart(series, labels, values[series.name]) for series in SERIES],
        "first": labels[0],
        "last": labels[-1],
        "rows": [
            {"label": label, "counts": [grouped(number) for number in numbers]}
            for label, *numbers in zip(labels, *values.values(), strict=True)
        ],
    }


def _chart(series: Series, labels: Sequence[str], values: Sequence[int]) -> dict[str, Any]:
    found = chart(list(zip(labels, values, strict=True)))
    highest = max(found.bars, key=lambda bar: bar.value)
    return {
        "name": series.name,
        "title": series.title,
        "total": grouped(found.total),
        "top": grouped(found.top),
        "shape": found,
        "bars": [{"shape": bar, "text": f"{bar.label}: {grouped(bar.value)}"} for bar in found.bars if bar.value],
        "highest": f"{highest.label}: {grouped(highest.value)}" if highest.value else "",
    }


def _reputation(provider: str, history: History) -> list[dict[str, Any]]:
    periods = [of.get(provider, Counts()) for of in (history.last_24_h, history.last_30_days)]
    return [
        {
            "provider": provider,
            "title": measure.title,
            "near": percent(measure.limits.near),
            "over": percent(measure.limits.over),
            "periods": [_judged(measure.reports(counts), counts.sent, measure.limits) for counts in periods],
        }
        for measure in MEASURES
    ]


def _judged(reports: int, sent: int, limits: ReputationLimits) -> dict[str, Any]:
    share, judgement = report_rate(reports, sent), judge(reports, sent, limits)
    return {
        "rate": "" if share is None else percent(share),
        "of": f"{grouped(reports)} / {grouped(sent)}",
        "code": judgement.value,
        "says": JUDGEMENTS[judgement] if sent else "",
    }


def _domain(domain: DomainHistory) -> dict[str, Any]:
    counts = domain.counts
    return {
        "name": domain.name,
        "sent": grouped(counts.sent),
        "delivered": grouped(counts.delivered),
        "deferred": grouped(counts.deferred),
        "bounced": grouped(counts.bounced),
        "complained": grouped(counts.complained),
        "share": percent(share) if (share := report_rate(counts.bounced, counts.sent)) else "",
        "code": judge(counts.hard_bounced, counts.sent, SES_BOUNCES).value,
        "took": "" if domain.to_delivered_s is None else short_duration(domain.to_delivered_s),
    }
