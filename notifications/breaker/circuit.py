"""Decide whether a provider may be called, and how its answers change that. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from notifications.rules.retry import ErrorClass

# Times are seconds on one clock. A time ahead of the clock was written by another clock and is ignored.

CONSECUTIVE_FAILURES = 5
#: How many ids of failed messages a circuit keeps, and for how long a failed one lets others be the probe.
MAX_FAILED_IDS = 20
YIELD_S = 5.0


class Signal(Enum):
    """What an answer says about the provider. The message may have failed even if the provider works."""

    WORKS = auto()
    FAILS = auto()
    REFUSES_US = auto()  # until an operator fixes the set-up
    NEUTRAL = auto()


SIGNALS: dict[ErrorClass | None, Signal] = {
    None: Signal.WORKS,
    ErrorClass.PERMANENT: Signal.WORKS,  # it refused this one message
    ErrorClass.RATE_LIMITED: Signal.NEUTRAL,  # the budget slows down for it
    ErrorClass.TRANSIENT: Signal.FAILS,
    ErrorClass.AMBIGUOUS: Signal.FAILS,
    ErrorClass.MISCONFIGURED: Signal.REFUSES_US,
}
FAILURES = frozenset({ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS, ErrorClass.MISCONFIGURED})

# How long a circuit stays open at first and at most; the time doubles with every failed probe.
OPEN_S: dict[ErrorClass | None, tuple[float, float]] = {
    ErrorClass.TRANSIENT: (2.0, 30.0),
    # A failed probe of this class leaves its message uncertain, so probes are rarer.
    ErrorClass.AMBIGUOUS: (2.0, 60.0),
    # An operator has to act first.
    ErrorClass.MISCONFIGURED: (5.0, 60.0),
}


#: How long a circuit that an operator opened waits for its first probe.
OPENED_BY_OPERATOR_S = 30.0
BY_OPERATOR = "opened by an operator"


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """The state of one provider's circuit: closed, open, or open with a probe."""

    failures: int = 0  # in a row, while it is closed
    trips: int = 0  # openings since the last success; 0: closed
    since: float = 0.0  # time of the first of them
    opened_at: float = 0.0  # time of the last of them
    open_s: float = 0.0
    prober: str = ""
    probe_began: float = 0.0
    probe_lease_s: float = 0.0
    # The last failure's.
    error_class: str = ""
    code: str = ""
    # Ids of the messages that failed since the last success, the latest last.
    failed: tuple[str, ...] = ()

    @property
    def blames_one_message(self) -> bool:
        # Then the message may be at fault, not the provider.
        return len(self.failed) == 1 and self.error_class != ErrorClass.MISCONFIGURED

    @property
    def is_open(self) -> bool:
        return self.trips > 0

    def is_probed(self, now: float) -> bool:
        # Running, and its lease has not expired.
        return bool(self.prober) and 0 <= now - self.probe_began < self.probe_lease_s


CLOSED = Circuit()


@dataclass(frozen=True)
class Allow:
    pass


@dataclass(frozen=True)
class AllowProbe:
    pass


@dataclass(frozen=True)
class Block:
    """No message may be sent for `seconds`."""

    seconds: float


Admission = Allow | AllowProbe | Block


def admission(circuit: Circuit, now: float) -> Admission:
    if not circuit.is_open:
        return Allow()
    if circuit.is_probed(now):
        return Block(circuit.probe_began + circuit.probe_lease_s - now)
    if 0 <= now - circuit.opened_at < circuit.open_s:
        return Block(circuit.opened_at + circuit.open_s - now)
    return AllowProbe()


def admission_of(circuit: Circuit, now: float, message: str) -> Admission:
    # After a failure, other messages may probe first for a while.
    allowed = admission(circuit, now)
    if allowed != AllowProbe() or message not in circuit.failed:
        return allowed
    probes_at = circuit.opened_at + circuit.open_s + YIELD_S
    return Block(probes_at - now) if circuit.opened_at <= now < probes_at else allowed


def best_probe(circuit: Circuit, messages: Sequence[str]) -> str:
    # A message that has not failed, or failed longest ago.
    failed = {message: place for place, message in enumerate(circuit.failed)}
    return min(messages, key=lambda message: failed.get(message, -1), default="")


def probing(circuit: Circuit, now: float, *, prober: str, lease_s: float, message: str = "") -> Circuit:
    # With `prober` as the holder of the probe, if one is due.
    if admission_of(circuit, now, message) != AllowProbe():
        return circuit
    return replace(circuit, prober=prober, probe_began=now, probe_lease_s=lease_s)


def released(circuit: Circuit, prober: str) -> Circuit:
    # The message was not sent: the next probe is due immediately.
    if circuit.prober != prober:
        return circuit
    return replace(circuit, prober="", probe_began=0.0, probe_lease_s=0.0)


def answered(
    circuit: Circuit, now: float, error_class: ErrorClass | None, code: str, *, prober: str = "", message: str = ""
) -> Circuit:
    """Return the state after an answer to a message.

    `error_class` is None for an acceptance; `prober` is empty for a message that was not a probe.
    """
    if circuit.is_open:
        return _after_probe(circuit, now, error_class, code, prober=prober, message=message)
    if SIGNALS[error_class] is Signal.WORKS:
        return CLOSED
    if error_class not in FAILURES:
        return circuit
    failed = replace(
        _remember_failed(circuit, message), failures=circuit.failures + 1, error_class=error_class.value, code=code
    )
    if SIGNALS[error_class] is Signal.REFUSES_US or failed.failures >= CONSECUTIVE_FAILURES:
        return _opened(failed, now, error_class, code)
    return failed


def opened_by_operator(circuit: Circuit, now: float) -> Circuit:
    # Until a probe succeeds. The failures before say nothing about the next ones.
    return Circuit(trips=1, since=now, opened_at=now, open_s=OPENED_BY_OPERATOR_S, code=BY_OPERATOR)


def closed_by_operator(circuit: Circuit, now: float) -> Circuit:
    return CLOSED


def _after_probe(
    circuit: Circuit, now: float, error_class: ErrorClass | None, code: str, *, prober: str, message: str
) -> Circuit:
    # Only probes change an open circuit: other answers belong to calls that began before it opened.
    if prober and SIGNALS[error_class] is Signal.WORKS:
        # Also after the probe's lease has expired.
        return CLOSED
    if error_class not in FAILURES:
        # A rate limit is not an outage: the budget waits as long as the provider asks for.
        return CLOSED if prober and prober == circuit.prober else circuit
    failed = _remember_failed(circuit, message)
    return _opened(failed, now, error_class, code) if prober and prober == circuit.prober else failed


def _remember_failed(circuit: Circuit, message: str) -> Circuit:
    if not message:
        return circuit
    others = tuple(other for other in circuit.failed if other != message)
    return replace(circuit, failed=(*others, message)[-MAX_FAILED_IDS:])


def _opened(circuit: Circuit, now: float, error_class: ErrorClass, code: str) -> Circuit:
    first_s, longest_s = OPEN_S[error_class]
    opened = Circuit(
        trips=circuit.trips + 1,
        since=circuit.since if circuit.is_open else now,
        opened_at=now,
        # Bounded, because a float would overflow in an outage of weeks.
        open_s=min(first_s * 2.0 ** min(circuit.trips, 10), longest_s),
        error_class=error_class.value,
        code=code,
        failed=circuit.failed,
    )
    # One message that always fails must not lengthen the wait of all others.
    return replace(opened, open_s=first_s) if opened.blames_one_message else opened
