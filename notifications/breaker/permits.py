"""Grant permits to call providers, and report their answers to the shared circuits.

A healthy provider costs no call to Redis: a closed circuit is cached, and a success is only reported if it clears
failures.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from notifications.breaker import store
from notifications.breaker.circuit import (
    CLOSED,
    FAILURES,
    Allow,
    AllowProbe,
    Block,
    Circuit,
    admission,
    answered,
    best_probe,
    closed_by_operator,
    opened_by_operator,
    probing,
    released,
)
from notifications.conf import settings
from notifications.providers.base.deadline import call_s
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules.retry import ErrorClass
from notifications.runtime.redis_client import cooldown

logger = logging.getLogger(__name__)

REFUSES_US = "%s refuses us (%s): it gets no email until an operator fixes the set-up"
IS_DOWN = "%s is down (%s: %s): it gets no email for now"

#: How long a process trusts the state that it read last.
CACHE_S = 0.25
#: What a probe needs in addition to the call: budget, claim, rendering.
PROBE_MARGIN_S = 5.0

COOLDOWN_REASON = "Redis is unavailable, so each process judges separately"

# Providers whose circuits were last read as closed and without failures, and when (monotonic).
_healthy: dict[str, float] = {}


@dataclass(frozen=True)
class Permit:
    """Allow calls to a provider. With a `prober` it allows one message only and must be released afterwards."""

    provider: str
    prober: str = ""
    # The id of the message to probe with, if `acquire` got messages.
    message: str = ""


@dataclass(frozen=True)
class Effect:
    """What an answer has changed.

    `tripped`: the provider accepts no more messages of the group. `is_outage`: other messages failed too, and none has
    succeeded since.
    """

    tripped: bool
    failed_probe: bool = False
    is_outage: bool = False


@dataclass(frozen=True, kw_only=True)
class CircuitState:
    """A circuit as an operator sees it. `state` is "closed", "open" or "probing"."""

    provider: str
    state: str
    reason: str = ""
    probes_in_s: float | None = None
    # Of the answer that opened it.
    error_class: str = ""
    # Since it opened, however often a probe has failed since.
    open_for_s: float = 0.0


def acquire(provider: str, messages: Sequence[UUID] = ()) -> Permit | None:
    """Return a permit to call the provider, or None if its circuit is open. Handles Redis errors.

    The probe is one of `messages`: one that has not failed, or the one that failed longest ago.
    """
    if time.monotonic() < _healthy.get(provider, -math.inf) + CACHE_S:
        return Permit(provider)
    seen, now = store.current(provider)
    _remember(provider, seen)
    match admission(seen, now):
        case Allow():
            return Permit(provider)
        case AllowProbe():
            return _acquire_probe(provider, best_probe(seen, [str(message) for message in messages]))
        case _:
            return None


def is_closed(provider: str) -> bool:
    # An open circuit whose probe is due is not closed.
    return isinstance(admission(*store.current(provider)), Allow)


def release(permit: Permit) -> None:
    # Without an answer, the next probe is due immediately.
    if permit.prober:
        store.update(permit.provider, lambda circuit, now: released(circuit, permit.prober))


def report(permit: Permit, answer: Accepted | ProviderError, message: UUID | None = None) -> Effect:
    """Report a provider's answer to all processes. Handles Redis errors."""
    if isinstance(answer, ProviderError) and answer.never_left:
        # The error says nothing about the provider. The caller releases a probe's permit.
        return Effect(tripped=bool(permit.prober))
    error_class, code = _about_provider(answer)
    failed = error_class in FAILURES
    has_no_news = permit.provider in _healthy or error_class is ErrorClass.RATE_LIMITED
    if has_no_news and not failed and not permit.prober:
        return Effect(tripped=False)
    done = store.update(
        permit.provider,
        lambda circuit, now: answered(
            circuit, now, error_class, code, prober=permit.prober, message=str(message) if message else ""
        ),
    )
    _remember(permit.provider, done.after)
    _log_transition(permit.provider, done)
    failed_probe = failed and bool(permit.prober)
    is_outage = failed_probe and len(done.after.failed) > 1
    return Effect(tripped=done.after.is_open, failed_probe=failed_probe, is_outage=is_outage)


def _about_provider(answer: Accepted | ProviderError) -> tuple[ErrorClass | None, str]:
    # A provider that refuses a message, or its recipient, works.
    if isinstance(answer, Accepted) or answer.is_about_one_message:
        return None, ""
    return answer.error_class, answer.code


def open_by_operator(provider: str) -> None:
    """Open a circuit until a probe succeeds. Raises redis.RedisError."""
    _remember(provider, store.update_shared(provider, opened_by_operator).after)
    logger.warning("an operator opened the circuit of %s", provider)


def close_by_operator(provider: str) -> None:
    """Close a circuit, so that the provider gets email again immediately. Raises redis.RedisError."""
    _remember(provider, store.update_shared(provider, closed_by_operator).after)
    logger.warning("an operator closed the circuit of %s", provider)


def states() -> list[CircuitState]:
    return [_state(provider, *store.current(provider)) for provider in settings.EMAIL_PROVIDERS]


def reset() -> None:
    _healthy.clear()
    store.reset()


def _acquire_probe(provider: str, message: str) -> Permit | None:
    prober, lease_s = uuid4().hex, call_s() + PROBE_MARGIN_S
    done = store.update(
        provider, lambda circuit, now: probing(circuit, now, prober=prober, lease_s=lease_s, message=message)
    )
    if done.after.prober == prober:
        return Permit(provider, prober, message)
    # Another process probes, or its probe has closed the circuit.
    return None if done.after.is_open else Permit(provider)


def _remember(provider: str, circuit: Circuit) -> None:
    if circuit == CLOSED:
        _healthy[provider] = time.monotonic()
    else:
        _healthy.pop(provider, None)


def _log_transition(provider: str, done: store.CircuitChange) -> None:
    # Logged once, by the process that made the change.
    before, after = done.before, done.after
    was_down = before.is_open and not before.blames_one_message
    if was_down and not after.is_open:
        logger.warning("%s accepts email again", provider)
    elif not after.is_open or (was_down and before.error_class == after.error_class):
        return
    elif after.blames_one_message:
        if not before.is_open:
            problem = f"{after.error_class}: {after.code}"
            logger.warning("%s keeps failing for message %s (%s)", provider, after.failed[0], problem)
    elif after.error_class == ErrorClass.MISCONFIGURED:
        logger.error(REFUSES_US, provider, after.code)
    else:
        logger.warning(IS_DOWN, provider, after.error_class, after.code)


def _state(provider: str, circuit: Circuit, now: float) -> CircuitState:
    reason = _reason(circuit, now)
    if circuit.is_open and circuit.blames_one_message:
        # Other messages get through, or show that the provider is down.
        return CircuitState(provider=provider, state="closed", reason=f"fails for one message, {reason}")
    state: str = "open"
    probes_in_s: float | None = 0.0
    match admission(circuit, now):
        case Allow():
            return CircuitState(provider=provider, state="closed", reason=reason, error_class=circuit.error_class)
        case Block(seconds) if circuit.is_probed(now):
            state, probes_in_s = "probing", None
        case Block(seconds):
            probes_in_s = seconds
    return CircuitState(
        provider=provider,
        state=state,
        reason=reason,
        probes_in_s=probes_in_s,
        error_class=circuit.error_class,
        open_for_s=max(0.0, now - circuit.since),
    )


def _reason(circuit: Circuit, now: float) -> str:
    reason = f"{circuit.error_class}: {circuit.code}" if circuit.error_class else circuit.code
    if circuit.is_open:
        reason += f", for {max(0.0, now - circuit.since):.0f} s"
    elif circuit.failures:
        reason += f", {circuit.failures} in a row"
    return "; ".join(filter(None, [reason, COOLDOWN_REASON if cooldown.active else ""]))
