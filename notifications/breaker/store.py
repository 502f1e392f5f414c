"""Where the circuits' states are: in Redis, on Redis' clock, shared by every process of every machine.

A closed circuit without failures is no key at all, so a wiped Redis means that all are closed. While Redis is away each
process goes on by the same rules with what it saw last, on its own clock.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields

import redis

from notifications.breaker.circuit import CLOSED, Circuit
from notifications.runtime.redis_client import client, rest

logger = logging.getLogger(__name__)

# A state that nobody has touched for so long says nothing any more.
KEPT_MS = 86_400_000
# A circuit changes a few times until it is open, and then hardly ever: nobody is overtaken more often than this.
TRIES = 50

# Returns {1} if it was done, else {0, what stands there now, seconds, microseconds}. Nothing is written as ''.
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

# What this process saw last.
_seen: dict[str, Circuit] = {}
_changing = threading.Lock()


@dataclass(frozen=True)
class Change:
    before: Circuit
    after: Circuit


def read(providers: Sequence[str]) -> tuple[list[Circuit], float]:
    """Return the state of each provider's circuit, and the moment. Raises redis.RedisError."""
    raw, now = _fetch(providers)
    states = [_parse(text) for text in raw]
    _seen.update(zip(providers, states, strict=True))
    return states, now


def look(provider: str) -> tuple[Circuit, float]:
    """Return one provider's state and the moment; where Redis is away, as this process knows them."""
    if not rest.on:
        try:
            states, now = read([provider])
        except redis.RedisError as error:
            _away(error)
        else:
            return states[0], now
    return _seen.get(provider, CLOSED), time.time()


def change(provider: str, rule: Rule) -> Change:
    """Make of the state what `rule` says, in one step for everybody; where Redis is away, for this process."""
    if not rest.on:
        try:
            return _change_shared(provider, rule)
        except redis.RedisError as error:
            _away(error)
    with _changing:
        before = _seen.get(provider, CLOSED)
        _seen[provider] = after = rule(before, time.time())
    return Change(before, after)


def forget() -> None:
    """Start anew, as a new process does."""
    _seen.clear()


def key(provider: str) -> str:
    return f"mailroom:circuit:{provider}"


def _change_shared(provider: str, rule: Rule) -> Change:
    (raw,), now = _fetch([provider])
    before = _parse(raw)
    for _ in range(TRIES):
        after = rule(before, now)
        if after == before:
            _seen[provider] = after
            return Change(before, after)
        done, *there = client().eval(_SWAP, 1, key(provider), raw, _written(after), KEPT_MS)
        if done:
            _seen[provider] = after
            return Change(before, after)
        raw, now = there[0], _moment(there[1], there[2])
        before = _parse(raw)
    return Change(before, before)


def _away(error: redis.RedisError) -> None:
    rest.start()
    logger.warning("Redis is away (%s); this process judges providers by itself", type(error).__name__)


def _fetch(providers: Sequence[str]) -> tuple[list[bytes], float]:
    pipeline = client().pipeline(transaction=False)
    pipeline.mget([key(provider) for provider in providers])
    pipeline.time()
    raw, (seconds, microseconds) = pipeline.execute()
    return [text or b"" for text in raw], _moment(seconds, microseconds)


def _moment(seconds: bytes | int, microseconds: bytes | int) -> float:
    return int(seconds) + int(microseconds) / 1e6


def _written(circuit: Circuit) -> str:
    return "" if circuit == CLOSED else json.dumps(asdict(circuit))


def _parse(raw: bytes) -> Circuit:
    """What another version of this program wrote and this one cannot read counts as closed: mail will find out.

    What it added is left out.
    """
    try:
        written = json.loads(raw) if raw else {}
        known = {field: written[field] for field in _FIELDS & written.keys()}
        return Circuit(**{**known, "failed": tuple(known.get("failed", ()))})
    except (ValueError, TypeError, AttributeError):
        return CLOSED
