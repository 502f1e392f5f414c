"""Compare the current problems with the announced ones, and announce the difference."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from django.db import transaction

from notifications.conf import settings
from notifications.models import Alert
from notifications.models import alert as table
from notifications.operations.alerts import channels, text
from notifications.operations.alerts.decision import Change, CurrentProblem, Occurrence, advance, changes
from notifications.operations.alerts.outage import watch
from notifications.operations.finding import Code, StatusFinding
from notifications.operations.problems import all_findings, explained
from notifications.operations.status import collect

# Beat calls `announce_problems` as a periodic job. The table, not the process, remembers what was announced. A process
# that is killed between a post and its record posts again.

logger = logging.getLogger(__name__)

# The webhook cannot learn from itself that it fails; the ping URL and the log can.
NOT_BY_WEBHOOK = {Code.ALERT_WEBHOOK}


def announce_problems() -> None:
    """Announce what began and what is over since the last call. Raises database errors."""
    with watch.database():
        occurrences = _update(all_findings(collect()))
        table.keep_channels(_usable_channels())
        usable = _usable_channels() - table.pausing_channels()
        if channels.WEBHOOK in usable:
            _post(occurrences)
        if channels.PING in usable:
            _ping(occurrences)


def current_problems(found: Sequence[StatusFinding]) -> list[CurrentProblem]:
    """Group the problems by code, without those that others explain."""
    hidden = explained(found)
    groups: dict[str, list[StatusFinding]] = {}
    for finding in found:
        if finding.is_problem and finding.code not in hidden:
            groups.setdefault(finding.code, []).append(finding)
    return [
        CurrentProblem(
            code=code, text="\n".join(map(str, group)), about=frozenset().union(*(each.about for each in group))
        )
        for code, group in groups.items()
    ]


def _update(found: Sequence[StatusFinding]) -> list[Occurrence]:
    known = {row.code: _occurrence(row) for row in Alert.objects.all()}
    after = advance(known, current_problems(found), explained(found), table.database_time())
    with transaction.atomic():
        Alert.objects.filter(code__in=known.keys() - after.keys()).delete()
        _save(each for each in after.values() if each != known.get(each.code))
    _log(known, after)
    return list(after.values())


def _log(known: Mapping[str, Occurrence], after: Mapping[str, Occurrence]) -> None:
    for change, each in changes(known, after):
        level = logging.INFO if change is Change.OVER else logging.ERROR
        logger.log(level, "problem %s: %s: %s", change.value, each.code, text.line(each))


def _post(occurrences: Sequence[Occurrence]) -> None:
    news = [each for each in occurrences if each.unposted and each.code not in NOT_BY_WEBHOOK]
    if news and _called(channels.WEBHOOK, channels.post(text.message(news))):
        _save(each.after_post() for each in news)


def _ping(occurrences: Sequence[Occurrence]) -> None:
    problems = [text.line(each) for each in occurrences if each.is_on]
    _called(channels.PING, channels.ping("\n".join(problems)))


def _called(channel: str, error: str) -> bool:
    if error:
        logger.warning("the alert address in %s failed (%s)", channel, error)
    table.record_call(channel, error)
    return not error


def _usable_channels() -> set[str]:
    return {name for name in (channels.WEBHOOK, channels.PING) if getattr(settings, name)}


def _occurrence(row: Alert) -> Occurrence:
    return Occurrence(
        code=row.code,
        text=row.text,
        about=frozenset(row.about),
        began_at=row.began_at,
        seen_at=row.seen_at,
        announced_at=row.announced_at,
        over_at=row.over_at,
        returns=row.returns,
        posted=None if row.posted is None else frozenset(row.posted),
    )


def _save(occurrences: Iterable[Occurrence]) -> None:
    rows = []
    for each in occurrences:
        lists = {"about": sorted(each.about), "posted": None if each.posted is None else sorted(each.posted)}
        rows.append(Alert(**asdict(each) | lists))
    if rows:
        table.save_alerts(rows)
