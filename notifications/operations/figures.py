"""The figures of the status. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from notifications.breaker.permits import CircuitState
from notifications.rules.states import Stream


@dataclass(frozen=True, kw_only=True)
class ProcessState:
    """`silent_s`: seconds since the last heartbeat, `age_s`: since the first.

    `trouble`: the error that the process reported.
    """

    name: str
    silent_s: float
    trouble: str
    age_s: float = inf


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One stream.

    `due` and `later` wait in the database, `published` tasks in the broker. `oldest_s`: for how long the oldest of them
    has been due. `pace`: messages per second that the budget grants for the current provider, None while it holds
    nothing back. `served`: a healthy worker consumes its queue. What the broker knows is None during an outage of the
    broker.
    """

    stream: Stream
    due: int
    later: int
    oldest_s: float
    published: int | None
    pace: float | None
    served: bool | None
    # How long the provider asked us to pause.
    paused_s: float = 0.0
    # Sent in the last minute.
    minute: int = 0
    # Messages that an operator has paused. They are neither in `due` nor in `later`.
    paused: int = 0


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What a provider accepted in the last minute and hour, and the hour's failed attempts.

    `more`: the hour had more attempts than are counted.
    """

    provider: str
    minute: int
    hour: int
    failed: int
    more: bool
    # Accepted in the last hour, but not in the last 15 minutes. And whether the provider has reported any event in the
    # last hour; None if its webhook is not set up.
    unreported: int = 0
    reports: bool | None = None
    # Of the last 24 hours, from the hourly counts.
    day_sent: int = 0
    day_hard_bounced: int = 0
    day_complained: int = 0


@dataclass(frozen=True, kw_only=True)
class Dead:
    """Dead letters of one error: of the last hour, the last 24, and in total."""

    cause: str
    hour: int
    day: int
    ever: int


@dataclass(frozen=True, kw_only=True)
class Brake:
    """The hard bounces of email to unconfirmed addresses, and whether it is slowed for that.

    `more`: more was sent than had to be counted. `queue_s`: seconds until the last slowed message is sent.
    """

    on: bool
    bounced: int
    sent: int
    more: bool
    queue_s: float
    window_min: int
    per_min: float


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """Queued messages of one kind that wait for a worker of another version."""

    cause: str
    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class PauseState:
    """What an operator has paused. `left_s`: seconds until it ends; None if that is up to an operator."""

    what: str
    name: str
    by: str
    reason: str
    since_s: float
    left_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class WaitingChanges:
    """Changes that the receivers of `message_changed` have not handled yet.

    Of the oldest 1,000: their `count`, and how many are `late`. `oldest_s`: for how long the oldest has waited.
    `error`: a receiver of a late one and its error; empty if none has failed.
    """

    count: int = 0
    late: int = 0
    oldest_s: float = 0.0
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """An overdue periodic job. `done_s` is None if it never ran; `error` is the last run's."""

    name: str
    every_s: float
    done_s: float | None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class SystemStatus:
    """No count exceeds MOST."""

    processes: Sequence[ProcessState]
    lanes: Sequence[Lane]
    circuits: Sequence[CircuitState]
    traffic: Sequence[Traffic]
    sending: int
    # Settled automatically, and needing a decision.
    uncertain: int
    held: int
    dead: Sequence[Dead]
    brake: Brake
    broker_is_down: bool
    # FLOWER_URL is set, and Flower is not running.
    flower_is_missing: bool = False
    overdue: Sequence[Overdue] = ()
    misfits: Sequence[Misfit] = ()
    pauses: Sequence[PauseState] = ()
    # Connections to the database, and how many it allows.
    connections_used: int = 0
    connections_allowed: int = 0
    # The error of each channel for alerts that fails, by its setting.
    failing_channels: Mapping[str, str] = field(default_factory=dict)
    disk_is_full: bool = False
    changes: WaitingChanges = field(default_factory=WaitingChanges)
    # What the staging guard does, in words; empty if it is off.
    guard: str = ""
