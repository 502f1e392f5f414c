"""Find the messages of a search. Each search reads few rows, however many the table holds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications.kinds import KINDS
from notifications.models import DeliveryAttempt, Message, ProviderEvent
from notifications.rules.outcomes import Outcome
from notifications.rules.search_terms import MessageQuery, Moment
from notifications.rules.states import Status, Stream

# A condition that has an index gives parts of the table, which together hold all messages that it allows. Of each part,
# the newest rows are read in the order of its index, and compared with the other conditions. One of two conditions that
# was read to its end is enough: docs/decisions/0055-lists-of-the-newest.md.

#: The most rows that are read for one condition; its parts share them.
MOST_READ = 6_000
#: The most messages of a part that are found.
MOST_FOUND = 1_000
# Reading a row of another table and its message takes this many times as long as reading a message.
_JOINED = 3
# Of the conditions that have an index, the rarest are read.
_MOST_CONDITIONS = 2
# Attempts and reports come this much later than their message.
LATEST = timedelta(days=7)

_COMPARED = {
    **{name: name for name in ("kind", "status", "stream", "outcome", "provider")},
    "error": "error_fingerprint",
}
_WAITING = [Status.QUEUED, Status.SENDING]
_RARE_OUTCOMES = [Outcome.DEFERRED, Outcome.BOUNCED, Outcome.COMPLAINED, Outcome.REJECTED]


@dataclass(frozen=True, kw_only=True)
class FoundMessages:
    """Ids with the times of their messages. `is_cut`: there may be more."""

    times: Mapping[UUID, datetime]
    is_cut: bool

    @property
    def ids(self) -> Sequence[UUID]:
        return list(self.times)

    def newest(self) -> "FoundMessages":
        # Parts of one condition may hold as many each.
        kept = nlargest(MOST_FOUND, self.times.items(), key=itemgetter(1))
        return FoundMessages(times=dict(kept), is_cut=self.is_cut or len(self.times) > MOST_FOUND)


@dataclass(frozen=True)
class _Part:
    rows: "QuerySet[Any, Any]"
    # From another table to the message.
    path: str = ""

    def most(self, parts: int) -> int:
        return max(MOST_READ // parts // (_JOINED if self.path else 1), 1)


@dataclass(frozen=True, kw_only=True)
class _Span:
    since: datetime | None
    before: datetime | None

    def of(self, rows: "QuerySet[Any, Any]", column: str, later: timedelta = timedelta(0)) -> "QuerySet[Any, Any]":
        # In the order of the column's index.
        if self.since:
            rows = rows.filter(**{f"{column}__gte": self.since})
        if self.before:
            rows = rows.filter(**{f"{column}__lt": self.before + later})
        return rows.order_by(f"-{column}")


def search_messages(query: MessageQuery, *, user: Any = None) -> FoundMessages:
    """Return the newest messages of a query, or those to one user."""
    now = timezone.now()
    span = _Span(since=_time(query.since, now), before=_time(query.before, now))
    of_user = [[_Part(Message.objects.filter(user=user).order_by())]] if user is not None else []
    if named := [_read(parts, query, span) for parts in [*_named(query), *of_user]]:
        # All have to name the same messages.
        common = set.intersection(*(set(found.ids) for found in named))
        times = {id_: at for id_, at in named[0].times.items() if id_ in common}
        return FoundMessages(times=times, is_cut=any(found.is_cut for found in named)).newest()
    newest = _read([_written(span)], query, span)
    if not newest.is_cut or len(newest.times) > MOST_FOUND:
        return newest.newest()
    listed = [newest]
    for parts in islice(_listed(query, span), _MOST_CONDITIONS):
        found = _read(parts, query, span)
        if not found.is_cut:
            return found.newest()
        listed.append(found)
    times = {id_: at for found in listed for id_, at in found.times.items()}
    return FoundMessages(times=times, is_cut=True).newest()


def _named(query: MessageQuery) -> Iterator[Sequence[_Part]]:
    if query.word:
        yield [*_by_id(query.word), *_by_address(query.word.lower()), _by_key(query.word)]
    if query.to:
        yield list(_by_address(query.to))
    if query.id:
        yield list(_by_id(query.id))
    if query.key:
        yield [_by_key(query.key)]


def _by_id(text: str) -> Iterator[_Part]:
    attempts = DeliveryAttempt.objects.filter(provider_message_id=text).exclude(provider_message_id="")
    yield _Part(attempts.order_by(), "message__")
    try:
        yield _Part(Message.objects.filter(pk=UUID(text)).order_by())
    except ValueError:
        return


def _by_address(text: str) -> Iterator[_Part]:
    # The newest to this address first: a monitor's may have more than is read.
    yield _Part(Message.objects.filter(to_address=text).order_by("-sent_at"))
    yield _Part(Message.objects.filter(to_address__startswith=text).order_by())


def _by_key(text: str) -> _Part:
    return _Part(Message.objects.filter(idempotency_key__startswith=text).order_by())


def _listed(query: MessageQuery, span: _Span) -> Iterator[Sequence[_Part]]:
    # The rarest first.
    if query.error:
        # This index has the status.
        dead = Message.objects.filter(status=Status.DEAD).order_by("-died_at")
        yield [_Part(rows.filter(error_fingerprint=query.error)) for rows in (dead, *_queued())]
    if query.outcome in _RARE_OUTCOMES:
        yield [_reported(query.outcome, span), _Part(_dead())]
    if query.status and query.status != Status.SENT:
        yield [_Part(rows) for rows in _in_status(query.status, query.stream, span)]
    if query.provider:
        yield [_tried(query.provider, span), _Part(_sending())]
    if query.kind:
        kind = KINDS.get(query.kind)
        yield [_of_kind(query.kind, span), *map(_Part, [*_queued(kind.stream if kind else ""), _sending()])]
    elif query.stream or query.status == Status.SENT:
        kinds = [kind.name for kind in KINDS.values() if query.stream in {"", kind.stream}]
        yield [*(_of_kind(kind, span) for kind in kinds), *map(_Part, _queued(query.stream)), _written(span)]


def _in_status(status: str, stream: str, span: _Span) -> "Sequence[QuerySet[Any, Any]]":
    if status == Status.QUEUED:
        return _queued(stream)
    if status == Status.DEAD:
        return [_dead()]
    if status == Status.SENDING:
        return [_sending()]
    if status == Status.UNCERTAIN:
        return [Message.objects.filter(status=status).order_by("-settle_at")]
    return [span.of(Message.objects.filter(status=status), "created_at")]


def _dead() -> "QuerySet[Any, Any]":
    # A constraint: these are dead. With both conditions, the planner expects few rows, and sorts them all.
    return Message.objects.filter(died_at__isnull=False).order_by("-died_at")


def _queued(stream: str = "") -> "Sequence[QuerySet[Any, Any]]":
    queued = Message.objects.filter(status=Status.QUEUED).order_by("-relay_after")
    return [queued.filter(stream=each) for each in ([stream] if stream else Stream.values)]


def _sending() -> "QuerySet[Any, Any]":
    return Message.objects.filter(status=Status.SENDING).order_by("-lease_until")


def _of_kind(kind: str, span: _Span) -> _Part:
    return _Part(span.of(Message.objects.filter(kind=kind).exclude(status__in=_WAITING), "created_at"))


def _written(span: _Span) -> _Part:
    return _Part(span.of(Message.objects.all(), "created_at"))


def _tried(provider: str, span: _Span) -> _Part:
    return _Part(span.of(DeliveryAttempt.objects.filter(provider=provider), "recorded_at", LATEST), "message__")


def _reported(outcome: str, span: _Span) -> _Part:
    events = ProviderEvent.objects.filter(kind=outcome, message__isnull=False)
    return _Part(span.of(events, "received_at", LATEST), "message__")


def _read(parts: Sequence[_Part], query: MessageQuery, span: _Span) -> FoundMessages:
    where, values = _conditions(query, span)
    statements, parameters = [], []
    for part in parts:
        most = part.most(len(parts))
        rows, its_values = _columns(part, most)
        # Stops at the last row that it may read, and returns it, so that the caller knows.
        statements.append(
            f"(SELECT m_id, m_created_at, {where} AS matches, place = {most} AS is_last"  # noqa: S608 - names of columns
            f" FROM (SELECT *, row_number() OVER () AS place FROM ({rows}) AS listed) AS read"
            f" WHERE {where} OR place = {most} LIMIT {MOST_FOUND + 1})"
        )
        parameters += [*values, *its_values, *values]
    with connection.cursor() as cursor:
        # Parts may have the same messages.
        cursor.execute(
            "SELECT m_id, m_created_at, bool_or(matches) AS matches, bool_or(bool_or(is_last)) OVER () AS is_last"  # noqa: S608 - our statements
            f" FROM ({' UNION ALL '.join(statements)}) AS parts GROUP BY m_id, m_created_at"
            f" ORDER BY matches DESC, m_created_at DESC LIMIT {MOST_FOUND + 1}",
            parameters,
        )
        found = cursor.fetchall()
    times = {id_: at for id_, at, matches, _is_last in found if matches}
    return FoundMessages(times=times, is_cut=len(times) > MOST_FOUND or any(is_last for *_, is_last in found))


def _columns(part: _Part, most: int) -> tuple[str, Sequence[Any]]:
    columns = {f"m_{column}": F(part.path + column) for column in ("id", "created_at", *_COMPARED.values())}
    statement, values = part.rows.values(**columns)[:most].query.sql_with_params()
    return statement, values


def _conditions(query: MessageQuery, span: _Span) -> tuple[str, list[Any]]:
    wanted = [(f"m_{column} = %s", getattr(query, name)) for name, column in _COMPARED.items()]
    wanted += [("m_created_at >= %s", span.since), ("m_created_at < %s", span.before)]
    given = [(condition, value) for condition, value in wanted if value]
    return " AND ".join(["true", *(condition for condition, _value in given)]), [value for _condition, value in given]


def _time(moment: Moment | None, now: datetime) -> datetime | None:
    # On the reader's clock.
    if moment is None:
        return None
    if isinstance(moment, timedelta):
        return now - moment
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    # PostgreSQL refuses time zones that are more than 16 hours from UTC.
    return (moment if moment.tzinfo else timezone.make_aware(moment)).astimezone(UTC)
