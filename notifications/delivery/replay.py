"""Replay the dead letters that would be sent if they were queued now."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import Combinable

from notifications.delivery import forecast
from notifications.delivery.relevance import Skip
from notifications.models import Message, transitions
from notifications.models.copies import copies_of
from notifications.models.transactions import short_transaction
from notifications.rules import states
from notifications.rules.states import Event, Status

BATCH = 500


class ReplayVerdict(StrEnum):
    """What would happen to a dead letter if it were sent now."""

    RELEVANT = "relevant"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    IRRELEVANT = "irrelevant"
    RESENT = "resent"  # another copy of the same email was or may be sent
    ANONYMIZED = "anonymized"  # the recipient is erased
    BROKEN = "broken"  # its kind is missing or raises an error


_ALIVE = {Status.QUEUED, Status.SENDING, Status.SENT, Status.UNCERTAIN}
_VERDICTS = {
    Event.EXPIRED: ReplayVerdict.EXPIRED,
    Event.ADDRESS_SUPPRESSED: ReplayVerdict.SUPPRESSED,
    Event.CANCELLED: ReplayVerdict.IRRELEVANT,
    Event.FAILED: ReplayVerdict.BROKEN,
    Event.RELEASED: ReplayVerdict.BROKEN,
}


@dataclass(frozen=True, kw_only=True)
class DeadGroup:
    """The dead letters of one kind and one error."""

    fingerprint: str
    kind: str
    counts: Counter[ReplayVerdict]
    # When they died.
    oldest: datetime
    newest: datetime

    @property
    def dead(self) -> int:
        return self.counts.total()


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts by error and kind; `replayed` is zero in a dry run."""

    rows: tuple[DeadGroup, ...]
    replayed: int

    @property
    def counts(self) -> Counter[ReplayVerdict]:
        return sum((row.counts for row in self.rows), Counter())

    @property
    def dead(self) -> int:
        return self.counts.total()

    @property
    def relevant(self) -> int:
        return self.counts[ReplayVerdict.RELEVANT]


def dead_letters(
    *, kind: str = "", error: str = "", since: datetime | Combinable | None = None
) -> QuerySet[Message, Message]:
    # `error`: a fingerprint or its beginning. `since`: the earliest time of death.
    dead = Message.objects.filter(status__in=states.sources(Event.REPLAYED))
    if kind:
        dead = dead.filter(kind=kind)
    if error:
        dead = dead.filter(error_fingerprint__startswith=error)
    return dead if since is None else dead.filter(died_at__gte=since)


def replay_verdicts(messages: Sequence[Message]) -> list[tuple[Message, ReplayVerdict]]:
    """Return each message with its verdict; users must be loaded. Raises database errors."""
    copies = copies_of(messages)
    return [(message, _verdict(message, skip, copies[message.id])) for message, skip in forecast.replay_skips(messages)]


def _verdict(message: Message, skip: Skip | None, copies: Sequence[Message]) -> ReplayVerdict:
    if message.anonymized_at:
        return ReplayVerdict.ANONYMIZED
    if any(_replaces(copy, message) for copy in copies):
        return ReplayVerdict.RESENT
    return _VERDICTS[skip.event] if skip else ReplayVerdict.RELEVANT


def _replaces(copy: Message, message: Message) -> bool:
    # The recipient got or may get `copy`. Of several dead copies, only the newest can be replayed.
    if copy.id == message.id:
        return False
    return copy.status in _ALIVE or (copy.status == Status.DEAD and copy.created_at > message.created_at)


def replay(
    queryset: QuerySet[Message, Message],
    *,
    dry_run: bool,
    batch: int = BATCH,
    notify: Callable[[Sequence[Message]], None] | None = None,
) -> Tally:
    """Queue the dead letters of `queryset` that are still relevant, or only count them.

    Each batch is a separate transaction, in which `notify` gets the batch's messages. Messages that another replay
    holds are skipped. The relay publishes the messages, in chunks. Raises Django's database errors; earlier batches
    stay replayed, and another call does the rest.
    """
    dead = queryset.filter(status__in=states.sources(Event.REPLAYED)).select_related("user").order_by("id")
    if not dry_run:
        # Locks the messages only, not the joined accounts.
        dead = dead.select_for_update(skip_locked=True, of=("self",))
    count, replayed, last = _Count(), 0, UUID(int=0)
    while True:
        with short_transaction():
            # In order of id, so that a message that dies again is not replayed again.
            messages = list(dead.filter(id__gt=last)[:batch])
            if not messages:
                return Tally(rows=count.rows(), replayed=replayed)
            verdicts = replay_verdicts(messages)
            relevant = [message for message, verdict in verdicts if verdict is ReplayVerdict.RELEVANT]
            if relevant and not dry_run:
                replayed += _revive(relevant)
                if notify:
                    notify(relevant)
        count.add(verdicts)
        last = messages[-1].id


def _revive(messages: Sequence[Message]) -> int:
    # Attempts are reset; the age is not.
    revived = transitions.apply(Event.REPLAYED, Message.objects.filter(id__in=[message.id for message in messages]))
    return len(revived)


@dataclass
class _Count:
    groups: dict[tuple[str, str], Counter[ReplayVerdict]] = field(default_factory=dict)
    died: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)

    def add(self, verdicts: Sequence[tuple[Message, ReplayVerdict]]) -> None:
        for message, verdict in verdicts:
            assert message.died_at is not None  # noqa: S101 - a constraint: it is dead
            key = (message.error_fingerprint, message.kind)
            self.groups.setdefault(key, Counter())[verdict] += 1
            first, last = self.died.get(key, (message.died_at, message.died_at))
            self.died[key] = [min(first, message.died_at), max(last, message.died_at)]

    def rows(self) -> tuple[DeadGroup, ...]:
        # The largest groups first.
        keys = sorted(self.groups, key=lambda key: (-self.groups[key].total(), key))
        return tuple(
            DeadGroup(
                fingerprint=key[0],
                kind=key[1],
                counts=self.groups[key],
                oldest=self.died[key][0],
                newest=self.died[key][1],
            )
            for key in keys
        )
