"""What the status is made of. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from notifications.breaker.permits import CircuitState
from notifications.rules.states import Stream


@dataclass(frozen=True, kw_only=True)
class Process:
    """`silent_s`: seconds since its last heartbeat, `age_s`: since its first. `trouble`: what it said is wrong."""

    name: str
    silent_s: float
    trouble: str
    age_s: float = inf


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One stream. `due` and `later` wait in the database, `published` tasks in the broker.

    `oldest_s`: for how long the oldest of them has been due. `pace`: messages a second that the budget lets go to the
    provider that mail goes to now, None while it holds nothing back. `served`: a healthy worker takes its tasks. What
    the broker knows is None while it does not answer.
    """

    stream: Stream
    due: int
    later: int
    oldest_s: float
    published: int | None
    pace: float | None
    served: bool | None
    # For so long the provider wants a pause.
    paused_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What a provider took within the last minute and hour, and the hour's attempts that it did not plainly take.

    `more`: there were more attempts in the hour than are counted.
    """

    provider: str
    minute: int
    hour: int
    failed: int
    more: bool
    # Taken in the hour, and long enough ago to have been reported about. Whether the provider has reported anything in
    # the hour; None if it is not set up to.
    unreported: int = 0
    reports: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Dead:
    """Dead letters that died of the same: within the last hour, the last 24, and all that are kept."""

    cause: str
    hour: int
    day: int
    ever: int


@dataclass(frozen=True, kw_only=True)
class Brake:
    """How much of the mail to unconfirmed addresses bounced for good within the window, and if it is slowed for that.

    `more`: more was sent than had to be counted. `line_s`: in so many seconds the last that is slowed has its turn.
    """

    on: bool
    bounced: int
    sent: int
    more: bool
    line_s: float
    window_min: int
    per_min: float


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """Queued messages of one kind that wait for a worker of another version, and what the last one found."""

    cause: str
    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """A periodic job that was last done too long ago: `done_s` is None if it never was. `error`: its last try's."""

    name: str
    every_s: float
    done_s: float | None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Status:
    """No count goes beyond MOST."""

    processes: Sequence[Process]
    lanes: Sequence[Lane]
    circuits: Sequence[CircuitState]
    traffic: Sequence[Traffic]
    sending: int
    # These settle by themselves; those wait for a person.
    uncertain: int
    held: int
    dead: Sequence[Dead]
    brake: Brake
    broker_is_away: bool
    # Its address is set, and it does not run.
    flower_is_missing: bool = False
    overdue: Sequence[Overdue] = ()
    misfits: Sequence[Misfit] = ()
    # Connections to the database, and how many it allows.
    connections_used: int = 0
    connections_allowed: int = 0
