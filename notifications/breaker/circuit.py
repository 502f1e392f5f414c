"""When mail may go to a provider, and what an answer makes of that. Pure: values in, a decision or a new state out.

Moments are seconds on one clock, whichever; a moment that lies ahead of the clock was written by another one and does
not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from notifications.providers.base.mail import ErrorClass

CONSECUTIVE_FAILURES = 5
# So many messages that failed are remembered, and for so long one that has not failed goes before them as a probe.
MOST_REMEMBERED = 20
PRECEDENCE_S = 5.0


class Meaning(Enum):
    """What an answer says about the provider, whatever it says about the mail."""

    TAKES_MAIL = auto()
    FAILS = auto()
    REFUSES_US = auto()  # and will until somebody mends the set-up
    NOTHING = auto()


MEANS: dict[ErrorClass | None, Meaning] = {
    None: Meaning.TAKES_MAIL,
    ErrorClass.PERMANENT: Meaning.TAKES_MAIL,  # it looked at the message and did not like that one
    ErrorClass.RATE_LIMITED: Meaning.NOTHING,  # the budget slows down for it
    ErrorClass.TRANSIENT: Meaning.FAILS,
    ErrorClass.AMBIGUOUS: Meaning.FAILS,
    ErrorClass.MISCONFIGURED: Meaning.REFUSES_US,
}
FAILURES = frozenset({ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS, ErrorClass.MISCONFIGURED})

# How long a circuit stays open at first, and at the most; it doubles with every probe that fails.
OPEN_S: dict[ErrorClass | None, tuple[float, float]] = {
    ErrorClass.TRANSIENT: (2.0, 30.0),
    # Such a probe leaves its message in doubt, so there are fewer of them.
    ErrorClass.AMBIGUOUS: (2.0, 60.0),
    # A person has to do something first.
    ErrorClass.MISCONFIGURED: (5.0, 60.0),
}


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """The state of one provider's circuit: closed, open, or open with one message on its way as a probe."""

    failures: int = 0  # in a row, while it is closed
    trips: int = 0  # openings without a success between them; 0: closed
    since: float = 0.0  # when the first of them was
    opened_at: float = 0.0  # when the last of them was
    open_s: float = 0.0
    prober: str = ""
    probe_began: float = 0.0
    probe_lease_s: float = 0.0
    # The last failure's.
    error_class: str = ""
    code: str = ""
    # The messages that failed since the last success: their ids, the latest last.
    failed: tuple[str, ...] = ()

    @property
    def blames_one_message(self) -> bool:
        """True if all that speaks against the provider are the failures of one message, which may be its own fault."""
        return len(self.failed) == 1 and self.error_class != ErrorClass.MISCONFIGURED

    @property
    def is_open(self) -> bool:
        return self.trips > 0

    def is_probed(self, now: float) -> bool:
        """True while somebody's probe is on its way and his time is not over."""
        return bool(self.prober) and 0 <= now - self.probe_began < self.probe_lease_s


CLOSED = Circuit()


@dataclass(frozen=True)
class Pass:
    """Mail may go."""


@dataclass(frozen=True)
class Probe:
    """One message may go, to see whether the provider is back."""


@dataclass(frozen=True)
class Wait:
    """None may go; look again after so long."""

    seconds: float


Passage = Pass | Probe | Wait


def passage(circuit: Circuit, now: float) -> Passage:
    """Return what may happen now."""
    if not circuit.is_open:
        return Pass()
    if circuit.is_probed(now):
        return Wait(circuit.probe_began + circuit.probe_lease_s - now)
    if 0 <= now - circuit.opened_at < circuit.open_s:
        return Wait(circuit.opened_at + circuit.open_s - now)
    return Probe()


def passage_of(circuit: Circuit, now: float, message: str) -> Passage:
    """Return what may happen now to a message: after a failure it lets others be the next probe for a while."""
    allowed = passage(circuit, now)
    if allowed != Probe() or message not in circuit.failed:
        return allowed
    probes_at = circuit.opened_at + circuit.open_s + PRECEDENCE_S
    return Wait(probes_at - now) if circuit.opened_at <= now < probes_at else allowed


def best_probe(circuit: Circuit, messages: Sequence[str]) -> str:
    """Return which of several messages is the best probe: one that has not failed, or failed longest ago."""
    failed = {message: place for place, message in enumerate(circuit.failed)}
    return min(messages, key=lambda message: failed.get(message, -1), default="")


def probing(circuit: Circuit, now: float, *, prober: str, lease_s: float, message: str = "") -> Circuit:
    """Return the state in which `prober` has the one probe, or an unchanged one if there is none to be had."""
    if passage_of(circuit, now, message) != Probe():
        return circuit
    return replace(circuit, prober=prober, probe_began=now, probe_lease_s=lease_s)


def released(circuit: Circuit, prober: str) -> Circuit:
    """Return the state after a probe that came to nothing: its message was not sent. The next one may go at once."""
    if circuit.prober != prober:
        return circuit
    return replace(circuit, prober="", probe_began=0.0, probe_lease_s=0.0)


def answered(
    circuit: Circuit, now: float, error_class: ErrorClass | None, code: str, *, prober: str = "", message: str = ""
) -> Circuit:
    """Return the state after an answer to a message.

    `error_class` is None for an acceptance; `prober` is empty for other email.
    """
    if circuit.is_open:
        return _after_probe(circuit, now, error_class, code, prober=prober, message=message)
    if MEANS[error_class] is Meaning.TAKES_MAIL:
        return CLOSED
    if error_class not in FAILURES:
        return circuit
    failed = replace(
        _remembering(circuit, message), failures=circuit.failures + 1, error_class=error_class.value, code=code
    )
    if MEANS[error_class] is Meaning.REFUSES_US or failed.failures >= CONSECUTIVE_FAILURES:
        return _opened(failed, now, error_class, code)
    return failed


def _after_probe(
    circuit: Circuit, now: float, error_class: ErrorClass | None, code: str, *, prober: str, message: str
) -> Circuit:
    """Of an open circuit only probes decide: other answers belong to calls that began before it opened."""
    if prober and MEANS[error_class] is Meaning.TAKES_MAIL:
        # Also where the probe's time was over.
        return CLOSED
    if error_class not in FAILURES:
        # Throttled is not down: the budget waits as long as the provider wants.
        return CLOSED if prober and prober == circuit.prober else circuit
    failed = _remembering(circuit, message)
    return _opened(failed, now, error_class, code) if prober and prober == circuit.prober else failed


def _remembering(circuit: Circuit, message: str) -> Circuit:
    if not message:
        return circuit
    others = tuple(other for other in circuit.failed if other != message)
    return replace(circuit, failed=(*others, message)[-MOST_REMEMBERED:])


def _opened(circuit: Circuit, now: float, error_class: ErrorClass, code: str) -> Circuit:
    first_s, longest_s = OPEN_S[error_class]
    opened = Circuit(
        trips=circuit.trips + 1,
        since=circuit.since if circuit.is_open else now,
        opened_at=now,
        # A float would overflow in an outage of weeks.
        open_s=min(first_s * 2.0 ** min(circuit.trips, 10), longest_s),
        error_class=error_class.value,
        code=code,
        failed=circuit.failed,
    )
    # One message that fails every time must not make all others wait longer and longer.
    return replace(opened, open_s=first_s) if opened.blames_one_message else opened
