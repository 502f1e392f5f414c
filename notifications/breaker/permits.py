"""Which providers take mail now: what the circuits allow, told by what the providers have answered.

In the good case it costs nothing: that a circuit is closed is remembered for a moment, and a success is only written
down where there is something to forget.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.conf import settings

from notifications.breaker import store
from notifications.breaker.circuit import (
    CLOSED,
    FAILURES,
    Circuit,
    Pass,
    Probe,
    Wait,
    answered,
    best_probe,
    passage,
    probing,
    released,
)
from notifications.providers.base.deadline import call_s
from notifications.providers.base.mail import Accepted, ErrorClass, ProviderError
from notifications.runtime.redis_client import rest

logger = logging.getLogger(__name__)

# How long a process goes by what it last read.
REMEMBERED_S = 0.25
# What a prober needs beside the call: budget, claim, rendering.
PROBE_MARGIN_S = 5.0

# Providers whose circuits were last seen closed and without a failure, and when (monotonic).
_fine: dict[str, float] = {}


@dataclass(frozen=True)
class Entry:
    """Leave to call a provider. With a `prober` it is leave for one message, and to be given up afterwards."""

    provider: str
    prober: str = ""
    # The message that probes, if it was named.
    message: str = ""


@dataclass(frozen=True)
class Effect:
    """What an answer has done: may the rest of a group still go, and was it only a probe that failed?

    `is_outage`: other messages failed too, and none succeeded since.
    """

    is_open: bool
    failed_probe: bool = False
    is_outage: bool = False


@dataclass(frozen=True)
class Standing:
    """A circuit as an operator sees it. `state` is "closed", "open" or "probing"."""

    state: str
    reason: str
    probes_in_s: float | None
    error_class: str = ""


def enter(provider: str, messages: Sequence[UUID] = ()) -> Entry | None:
    """Ask for leave to call a provider with some of `messages`; None if its circuit is open. Handles Redis errors.

    A probe is one of them: one that has not failed, or the one that failed longest ago.
    """
    if time.monotonic() < _fine.get(provider, -math.inf) + REMEMBERED_S:
        return Entry(provider)
    seen, now = store.look(provider)
    _remember(provider, seen)
    match passage(seen, now):
        case Pass():
            return Entry(provider)
        case Probe():
            return _take_probe(provider, best_probe(seen, [str(message) for message in messages]))
        case _:
            return None


def is_closed(provider: str) -> bool:
    """True if a provider takes mail, probes aside."""
    return isinstance(passage(*store.look(provider)), Pass)


def leave(entry: Entry) -> None:
    """Give up a probe, if it is one and nobody has answered it: the next may go at once."""
    if entry.prober:
        store.change(entry.provider, lambda circuit, now: released(circuit, entry.prober))


def report(entry: Entry, answer: Accepted | ProviderError, message: UUID | None = None) -> Effect:
    """Let all processes know what a provider has answered to a message. Never raises for Redis' sake."""
    if isinstance(answer, ProviderError) and answer.never_left:
        # It says nothing of the provider. A probe is given up when its entry is left.
        return Effect(is_open=bool(entry.prober))
    error_class, code = _of_the_provider(answer)
    failed = error_class in FAILURES
    nothing_to_say = entry.provider in _fine or error_class is ErrorClass.RATE_LIMITED
    if nothing_to_say and not failed and not entry.prober:
        return Effect(is_open=False)
    done = store.change(
        entry.provider,
        lambda circuit, now: answered(
            circuit, now, error_class, code, prober=entry.prober, message=str(message) if message else ""
        ),
    )
    _remember(entry.provider, done.after)
    _tell(entry.provider, done)
    failed_probe = failed and bool(entry.prober)
    is_outage = failed_probe and len(done.after.failed) > 1
    return Effect(is_open=done.after.is_open, failed_probe=failed_probe, is_outage=is_outage)


def _of_the_provider(answer: Accepted | ProviderError) -> tuple[ErrorClass | None, str]:
    """Return what an answer says of the provider. One that refuses a message, or its recipient, works."""
    if isinstance(answer, Accepted) or answer.is_about_one_message:
        return None, ""
    return answer.error_class, answer.code


def standings() -> dict[str, Standing]:
    """Return how each provider in use stands, in their order."""
    return {provider: _standing(*store.look(provider)) for provider in settings.EMAIL_PROVIDERS}


def forget() -> None:
    """Start anew, as a new process does."""
    _fine.clear()
    store.forget()


def _take_probe(provider: str, message: str) -> Entry | None:
    prober, lease_s = uuid4().hex, call_s() + PROBE_MARGIN_S
    done = store.change(
        provider, lambda circuit, now: probing(circuit, now, prober=prober, lease_s=lease_s, message=message)
    )
    if done.after.prober == prober:
        return Entry(provider, prober, message)
    # Somebody else has it, or has had it and closed the circuit.
    return None if done.after.is_open else Entry(provider)


def _remember(provider: str, circuit: Circuit) -> None:
    if circuit == CLOSED:
        _fine[provider] = time.monotonic()
    else:
        _fine.pop(provider, None)


def _tell(provider: str, done: store.Change) -> None:
    """Say once, by the process that made the change, what an operator has to know."""
    before, after = done.before, done.after
    was_down = before.is_open and not before.blames_one_message
    if was_down and not after.is_open:
        logger.warning("%s takes mail again", provider)
    elif not after.is_open or (was_down and before.error_class == after.error_class):
        return
    elif after.blames_one_message:
        if not before.is_open:
            problem = f"{after.error_class}: {after.code}"
            logger.warning("%s fails for the message %s again and again (%s)", provider, after.failed[0], problem)
    elif after.error_class == ErrorClass.MISCONFIGURED:
        logger.error("%s refuses us (%s): no mail goes there until somebody mends the set-up", provider, after.code)
    else:
        logger.warning("%s is down (%s: %s): no mail goes there for now", provider, after.error_class, after.code)


def _standing(circuit: Circuit, now: float) -> Standing:
    reason = f"{circuit.error_class}: {circuit.code}" if circuit.error_class else ""
    if circuit.is_open:
        reason += f", for {max(0.0, now - circuit.since):.0f} s"
    elif circuit.failures:
        reason += f", {circuit.failures} in a row"
    if rest.on:
        reason = f"{reason}; " * bool(reason) + "Redis is away, so every process judges by itself"
    if circuit.is_open and circuit.blames_one_message:
        # Another message goes through, or shows that the provider is down.
        return Standing("closed", f"fails for one message, {reason}", None)
    match passage(circuit, now):
        case Pass():
            return Standing("closed", reason, None, circuit.error_class)
        case Wait(seconds):
            is_probed = circuit.is_probed(now)
            return Standing(
                "probing" if is_probed else "open", reason, None if is_probed else seconds, circuit.error_class
            )
        case _:
            return Standing("open", reason, 0.0, circuit.error_class)
