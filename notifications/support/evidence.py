"""What the explanation of a message rests on. Values only."""

from dataclasses import dataclass

from notifications.rules.outcomes import Outcome
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Event, Status

# Times are seconds from now, and negative in the past.


@dataclass(frozen=True, kw_only=True)
class Path:
    """The way from the row to a provider, as it is now.

    `refused_by`: the error class of each provider's open circuit, if all are open. `probe_s`: until the next of them is
    probed. `pace`: messages per second that the budget grants the stream, None while it holds nothing back. `pause_s`:
    how long the provider asked us to wait. `day_s`: until the daily limit has room, None if that is unknown.
    """

    has_provider: bool = True
    refused_by: tuple[str, ...] = ()
    probe_s: float = 0.0
    broker_is_down: bool = False
    is_served: bool = True
    relay_runs: bool = True
    pace: float | None = None
    pause_s: float = 0.0
    day_s: float | None = 0.0

    @property
    def needs_operator(self) -> bool:
        # No provider accepts email before its set-up is fixed.
        return ErrorClass.MISCONFIGURED in self.refused_by


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One message and its surroundings.

    `ends_as`: what ends it when a worker takes it, if anything. `ahead`: messages that are sent before it, of which the
    first is due in `first_s`. `per_s`: messages per second that were sent recently. `brake_s`: until the bounce brake
    releases it, None if it is not held.
    """

    status: Status
    outcome: Outcome = Outcome.UNKNOWN
    is_anonymized: bool = False
    path: Path = Path()
    # Queued.
    due_s: float = 0.0
    relay_s: float = 0.0
    # An operator has paused its stream, its kind or all providers; None: until an operator resumes it.
    is_paused: bool = False
    resumes_s: float | None = None
    expires_s: float | None = None
    brake_s: float | None = None
    ends_as: Event | None = None
    has_failed: bool = False
    is_misfit: bool = False
    ahead: int = 0
    first_s: float = 0.0
    per_s: float = 0.0
    # Sending and uncertain.
    lease_s: float = 0.0
    is_handed_over: bool = False
    settle_s: float | None = None
    is_resent_when_settled: bool = False
    # The address is suppressed, and that keeps or kept the message from it.
    is_suppressed: bool = False
    # Ended.
    is_reported: bool = True
    is_report_late: bool = False
    is_resent: bool = False
    may_resend: bool = True
    may_replay: bool = True

    @property
    def needs_relay(self) -> bool:
        # Otherwise its task is in the broker, or Celery retries it and the relay leaves it some time for that.
        return self.relay_s <= max(self.due_s, 0.0) + RELAY_MARGIN_S


# The times of one row are written by one statement; the reader's clock is read later.
RELAY_MARGIN_S = 0.5
