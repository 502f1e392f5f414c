"""Keep the circuits' states in Redis, on Redis' clock, shared by all processes."""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields

import redis

from notifications.breaker.circuit import CLOSED, Circuit
from notifications.runtime.redis_client import client, cooldown

# A closed circuit without failures has no key, so a wiped Redis means that all are closed. During an outage of Redis,
# each process applies the same rules to the states that it read last, on its local clock.

logger = logging.getLogger(__name__)

#: A state that has not changed for this long is outdated.
TTL_MS = 86_400_000
#: Most attempts of an update. Circuits change rarely, so an update loses few races.
TRIES = 50

# Returns {1} if the value was swapped, else {0, current value, seconds, microseconds}. '' stands for no key.
_SWAP = """
local there = redis.call('GET', KEYS[1]) or ''
if there ~= ARGV[1] then
  local t = redis.call('TIME')
  return {0, there, t[1], t[2]}
end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return {1}
"""

_FIELDS = {field.name for field in fields(Circuit)}

Rule = Callable[[Circuit, float], Circuit]

# The states that this process read last.
_seen: dict[str, Circuit] = {}
_updating = threading.Lock()


@dataclass(frozen=True)
class CircuitChange:
    before: Circuit
    after: Circuit


def read(providers: Sequence[str]) -> tuple[list[Circuit], float]:
    """Return each provider's circuit, and Redis' time. Raises redis.RedisError."""
    raw, now = _fetch(providers)
    states = [_parse(text) for text in raw]
    _seen.update(zip(providers, states, strict=True))
    return states, now


def current(provider: str) -> tuple[Circuit, float]:
    """Return one provider's circuit, and the time. Without Redis, this process's copy."""
    if not cooldown.active:
        try:
            states, now = read([provider])
        except redis.RedisError as error:
            _start_cooldown(error)
        else:
            return states[0], now
    return _seen.get(provider, CLOSED), time.time()


def update(provider: str, rule: Rule) -> CircuitChange:
    """Apply `rule` to the shared state, atomically; without Redis, to this process's copy."""
    if not cooldown.active:
        try:
            return update_shared(provider, rule)
        except redis.RedisError as error:
            _start_cooldown(error)
    with _updating:
        before = _seen.get(provider, CLOSED)
        _seen[provider] = after = rule(before, time.time())
    return CircuitChange(before, after)


def update_shared(provider: str, rule: Rule) -> CircuitChange:
    """Apply `rule` to the shared state, atomically. Raises redis.RedisError."""
    (raw,), now = _fetch([provider])
    before = _parse(raw)
    for _ in range(TRIES):
        after = rule(before, now)
        if after == before:
            _seen[provider] = after
            return CircuitChange(before, after)
        done, *there = client().eval(_SWAP, 1, key(provider), raw, _serialized(after), TTL_MS)
        if done:
            _seen[provider] = after
            return CircuitChange(before, after)
        raw, now = there[0], _moment(there[1], there[2])
        before = _parse(raw)
    return CircuitChange(before, before)


def reset() -> None:
    _seen.clear()


def key(provider: str) -> str:
    return f"mailroom:circuit:{provider}"


def _start_cooldown(error: redis.RedisError) -> None:
    cooldown.start()
    logger.warning("Redis is unavailable (%s); this process judges providers alone", type(error).__name__)


def _fetch(providers: Sequence[str]) -> tuple[list[bytes], float]:
    pipeline = client().pipeline(transaction=False)
    pipeline.mget([key(provider) for provider in providers])
    pipeline.time()
    raw, (seconds, microseconds) = pipeline.execute()
    return [text or b"" for text in raw], _moment(seconds, microseconds)


def _moment(seconds: bytes | int, microseconds: bytes | int) -> float:
    return int(seconds) + int(microseconds) / 1e6


def _serialized(circuit: Circuit) -> str:
    return "" if circuit == CLOSED else json.dumps(asdict(circuit))


def _parse(raw: bytes) -> Circuit:
    # A value that this version cannot read counts as closed; unknown fields are ignored.
    try:
        written = json.loads(raw) if raw else {}
        known = {field: written[field] for field in _FIELDS & written.keys()}
        return Circuit(**{**known, "failed": tuple(known.get("failed", ()))})
    except (ValueError, TypeError, AttributeError):
        return CLOSED
