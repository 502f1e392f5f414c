"""Collect what explains a message.

With few statements, whose cost does not depend on the size of the tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, LiteralString

import redis
from django.db import connection

from notifications.breaker import permits
from notifications.breaker.permits import CircuitState
from notifications.budget.outlook import BudgetOutlook, budget_outlook
from notifications.conf import settings
from notifications.delivery import forecast
from notifications.delivery.facts import gather
from notifications.delivery.relevance import Skip, skip_reason
from notifications.models import DeliveryAttempt, Message, Pause, Suppression
from notifications.operations.problems import SILENT_S
from notifications.operations.status import MOST
from notifications.outbox import brake_queue
from notifications.outbox.recover import may_resend
from notifications.providers import registry
from notifications.rules.outcomes import Outcome
from notifications.rules.states import STATUSES, Event, Status, Stream
from notifications.rules.suppression import Reason
from notifications.runtime.heartbeat import served_key
from notifications.runtime.redis_client import client, cooldown
from notifications.support.evidence import Evidence, Path

#: Messages whose relay times differ by less are published in the order of their creation.
TIE = timedelta(seconds=2)
#: Nearly all deliveries are reported sooner.
LATE_REPORT_S = 3600.0

_NOW = """
SELECT statement_timestamp(), coalesce((
    SELECT max(beat_at) > statement_timestamp() - %(silent_s)s * interval '1 second'
    FROM notifications_processheartbeat WHERE name LIKE 'relay@%%' AND trouble = ''
), false)
"""
# The relay publishes in the order of `relay_after`, which each publish postpones: so the published messages are ahead
# of one that is not. The budget defers many messages to nearly the same time; of those, the older ones go first. Counts
# no further than the number matters.
_AHEAD = """
WITH earlier AS (
    SELECT due_at FROM notifications_message
    WHERE status = %(queued)s AND stream = %(stream)s AND relay_after < %(relay_after)s + %(tie)s
      AND (relay_after < %(relay_after)s - %(tie)s OR created_at < %(created_at)s)
      AND due_at <= greatest(statement_timestamp(), %(due_at)s + %(tie)s)
    ORDER BY relay_after LIMIT %(most)s
), published AS (
    SELECT FROM notifications_message
    WHERE status = %(queued)s AND stream = %(stream)s AND %(relay_after)s <= statement_timestamp()
      AND relay_after > statement_timestamp() + %(tie)s AND due_at <= statement_timestamp()
      AND relay_after <= statement_timestamp() + %(lease)s
    ORDER BY relay_after LIMIT %(most)s
)
SELECT (SELECT count(*) FROM earlier) + (SELECT count(*) FROM published),
    (SELECT extract(epoch FROM min(due_at) - statement_timestamp())::float FROM earlier)
"""
_SENT = """
SELECT count(*), extract(epoch FROM statement_timestamp() - min(recorded_at))::float FROM (
    SELECT recorded_at FROM notifications_deliveryattempt
    WHERE provider = %(provider)s AND result = %(accepted)s
      AND recorded_at > statement_timestamp() - interval '1 minute'
    ORDER BY recorded_at DESC LIMIT %(most)s
) AS newest
"""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """The evidence, and what only the sentence needs.

    `now` is the database's. `provider`: where the next email goes. `skip`: why the message would not be sent now.
    """

    evidence: Evidence
    now: datetime
    provider: str = ""
    circuits: Sequence[CircuitState] = field(default_factory=list)
    skip: Skip | None = None
    suppression: Suppression | None = None
    newer: Message | None = None
    pause: Pause | None = None


def collect_evidence(message: Message) -> Collected:
    """Return what explains the message. Raises database errors, but not those of Redis."""
    now, relay_runs = _row(_NOW, silent_s=SILENT_S)
    match message.status:
        case Status.QUEUED:
            return _of_queued(message, now, relay_runs=relay_runs)
        case Status.SENDING | Status.UNCERTAIN:
            return _of_open(message, now, relay_runs=relay_runs)
        case _:
            return _of_ended(message, now)


def _of_queued(message: Message, now: datetime, *, relay_runs: bool) -> Collected:
    stream, pauses = Stream(message.stream), list(Pause.objects.in_force())
    circuits, resumed_first = usable_circuits(permits.states(), pauses)
    pause = pause_of(message, pauses, now, resumed_first)
    accepting = next((circuit.provider for circuit in circuits if circuit.state == "closed"), None)
    provider = accepting or next((one.provider for one in sorted(circuits, key=_probes_in_s)), "")
    skip = next((skip_reason(facts) for _, facts in gather([message])), None)
    suppression = suppression_of(message) if skip and skip.event is Event.ADDRESS_SUPPRESSED else None
    held = brake_queue.place_of(message.id) if message.slowed_until and message.slowed_until > now else None
    path = _path(provider, stream, circuits if accepting is None else [], relay_runs=relay_runs)
    ahead, first_s = (held[0], 0.0) if held else _ahead(message)
    evidence = Evidence(
        status=Status.QUEUED,
        path=path,
        due_s=_s(message.due_at, now),
        relay_s=_s(message.relay_after, now),
        is_paused=pause is not None,
        resumes_s=_s(pause.until, now) if pause and pause.until else None,
        expires_s=_s(message.expires_at, now) if message.expires_at else None,
        brake_s=held[1] if held else None,
        # A worker of another version may be able to send it.
        ends_as=skip.event if skip and skip.event is not Event.RELEASED else None,
        has_failed=message.made_attempts > 0 and bool(message.status_reason),
        is_misfit=bool(message.error_fingerprint),
        is_suppressed=suppression is not None,
        ahead=ahead,
        first_s=first_s,
        per_s=_sent_per_s(provider) if ahead and path.pace is None else 0.0,
    )
    return Collected(
        evidence=evidence,
        now=now,
        provider=provider,
        circuits=circuits,
        skip=skip,
        suppression=suppression,
        pause=pause,
    )


def usable_circuits(
    circuits: Sequence[CircuitState], pauses: Sequence[Pause]
) -> tuple[Sequence[CircuitState], Pause | None]:
    """Return the circuits that email may go through.

    If all providers are paused: that of the first to be resumed, and its pause.
    """
    paused = {pause.name: pause for pause in pauses if pause.what == Pause.What.PROVIDER}
    usable = [circuit for circuit in circuits if circuit.provider not in paused]
    if usable or not circuits:
        return usable, None
    first = min(circuits, key=lambda circuit: _end(paused[circuit.provider]))
    return [first], paused[first.provider]


def pause_of(
    message: Message, pauses: Sequence[Pause], now: datetime, of_providers: Pause | None = None
) -> Pause | None:
    """Return the pause that keeps the message for the longest time.

    `of_providers`: the pause of the provider that is resumed first, if all are paused.
    """
    if message.expires_at and message.expires_at <= now:
        # It ends as always.
        return None
    names = {Pause.What.STREAM: message.stream, Pause.What.KIND: message.kind}
    keeping = [pause for pause in pauses if names.get(Pause.What(pause.what)) == pause.name]
    if of_providers:
        keeping.append(of_providers)
    return max(keeping, key=_end, default=None)


def _end(pause: Pause) -> tuple[bool, datetime]:
    return pause.until is None, pause.until or pause.since


def _probes_in_s(circuit: CircuitState) -> float:
    # One that is being probed may accept email at any moment.
    return circuit.probes_in_s or 0.0


def _path(provider: str, stream: Stream, shut: Sequence[CircuitState], *, relay_runs: bool) -> Path:
    has_provider = bool(provider)
    budget, is_served = _from_redis(provider, stream) if has_provider else (BudgetOutlook(), True)
    return Path(
        has_provider=has_provider,
        refused_by=tuple(circuit.error_class for circuit in shut),
        probe_s=min(map(_probes_in_s, shut), default=0.0),
        broker_is_down=is_served is None,
        is_served=bool(is_served),
        relay_runs=relay_runs,
        pace=budget.pace,
        pause_s=budget.pause_s,
        day_s=budget.day_s,
    )


def _from_redis(provider: str, stream: Stream) -> tuple[BudgetOutlook, bool | None]:
    # None: during an outage.
    if cooldown.active:
        return BudgetOutlook(), None
    try:
        return budget_outlook(provider, stream), bool(client().exists(served_key(stream)))
    except redis.RedisError:
        cooldown.start()
        return BudgetOutlook(), None


def _of_open(message: Message, now: datetime, *, relay_runs: bool) -> Collected:
    evidence = Evidence(
        status=Status(message.status),
        path=Path(relay_runs=relay_runs),
        lease_s=_s(message.lease_until, now) if message.lease_until else 0.0,
        is_handed_over=message.handed_over_at is not None,
        settle_s=_s(message.settle_at, now) if message.settle_at else None,
        is_resent_when_settled=may_resend(message),
    )
    return Collected(evidence=evidence, now=now, provider=message.provider)


def _of_ended(message: Message, now: datetime) -> Collected:
    is_sent, is_anonymized = message.status == Status.SENT, message.anonymized_at is not None
    suppression = None if is_anonymized else suppression_of(message)
    newer = None if is_sent else message.resends.order_by("-created_at").first()
    replay_skip, skip = (None, None) if is_sent or newer or is_anonymized else _skips(message)
    evidence = Evidence(
        status=Status(message.status),
        outcome=Outcome(message.outcome),
        is_anonymized=is_anonymized,
        is_suppressed=suppression is not None,
        is_reported=registry.reports(message.provider),
        is_report_late=message.sent_at is not None and _s(message.sent_at, now) < -LATE_REPORT_S,
        is_resent=newer is not None,
        may_resend=skip is None,
        may_replay=message.status == Status.DEAD and replay_skip is None,
    )
    return Collected(
        evidence=evidence, now=now, provider=message.provider, skip=skip, suppression=suppression, newer=newer
    )


def suppression_of(message: Message) -> Suppression | None:
    """Return the oldest suppression in force that keeps such messages from the address."""
    found = Suppression.objects.in_force([message.to_address])
    if message.stream != Stream.BULK:
        found = found.exclude(reason=Reason.UNSUBSCRIBED)
    return found.order_by("created_at").first()


def _skips(message: Message) -> tuple[Skip | None, Skip | None]:
    # Why a replay, and why a copy, would not be sent.
    found = forecast.forecasts([message]).get(message.id)
    return (found.replay, found.resend) if found else (None, None)


def _ahead(message: Message) -> tuple[int, float]:
    # Their number, and when the first of them is due.
    asked = {field: getattr(message, field) for field in ("relay_after", "due_at", "created_at", "stream")}
    lease = timedelta(seconds=settings.DELIVERY_LEASE_S)
    ahead, first_s = _row(_AHEAD, **asked, tie=TIE, lease=lease)
    return min(int(ahead), MOST), max(first_s or 0.0, 0.0)


def _sent_per_s(provider: str) -> float:
    count, age_s = _row(_SENT, provider=provider, accepted=DeliveryAttempt.Result.ACCEPTED)
    return count / age_s if count and age_s else 0.0


def _s(at: datetime, now: datetime) -> float:
    return (at - now).total_seconds()


def _row(statement: LiteralString, **values: Any) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**STATUSES, "most": MOST, **values})
        return tuple(cursor.fetchone())
