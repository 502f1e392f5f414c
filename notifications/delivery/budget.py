"""One global rate per provider and a ceiling per stream, shared by every worker of every machine.

The script is a GCRA (a token bucket that stores one moment instead of a level) on Redis' own clock, atomic over both
buckets. In any window of T seconds at most rate * T + burst messages are allowed.
"""

from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from redis.commands.core import Script

from notifications.delivery import rates
from notifications.providers.registry import PROVIDERS
from notifications.redis_client import client
from notifications.states import Stream

# Critical mail may dip deeper into the provider's bucket than the others can empty it: it overtakes them without
# raising the rate. Seconds' worth of the rate, at least this many messages.
BURST_S = {Stream.CRITICAL: 1.0, Stream.DEFAULT: 0.5, Stream.BULK: 0.25}
BURST_AT_LEAST = {Stream.CRITICAL: 3, Stream.DEFAULT: 2, Stream.BULK: 1}
# No message is sent further into the future than this; it will ask again then.
LONGEST_WAIT_S = 30.0
NO_CEILING = 10_000.0

# KEYS: the provider's bucket, the stream's bucket, the stream's queue of the refused.
# ARGV: wanted, provider interval and burst, stream interval and burst (microseconds, messages), longest wait.
# Returns the number granted and the wait of the first and of the last refused message (microseconds).
_SCRIPT = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local wanted = tonumber(ARGV[1])
local granted = wanted
local tats = {}
for i = 1, 2 do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local tat = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now)
  tats[i] = tat
  granted = math.min(granted, math.floor((now + burst * interval - tat) / interval))
end
granted = math.max(granted, 0)
local earliest, slowest = now, 0
for i = 1, 2 do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local tat = tats[i] + granted * interval
  if granted > 0 then
    redis.call('SET', KEYS[i], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 1000)
  end
  earliest = math.max(earliest, tat - (burst - 1) * interval)
  slowest = math.max(slowest, interval)
end
local refused = wanted - granted
if refused == 0 then return {granted, 0, 0} end
local first = math.max(earliest, tonumber(redis.call('GET', KEYS[3]) or '0'))
first = math.min(first, now + tonumber(ARGV[6]))
local last = math.min(first + (refused - 1) * slowest, now + tonumber(ARGV[6]))
redis.call('SET', KEYS[3], string.format('%.0f', last + slowest), 'PX', math.ceil((last - now) / 1000) + 1000)
return {granted, first - now, last - now}
"""


@dataclass(frozen=True)
class Grant:
    """How many messages may go now, and how long each of the others waits (seconds, spread at the rate)."""

    count: int
    waits_s: tuple[float, ...] = ()


class BudgetUnavailableError(Exception):
    """Redis did not answer; without the shared count nothing is sent, and nothing is lost by asking again."""


def reserve(provider: str, stream: Stream, wanted: int) -> Grant:
    """Take up to `wanted` messages from the budget. What is granted is spent. Raises BudgetUnavailableError."""
    provider_rate = rates.parse(settings.EMAIL_RATE, PROVIDERS).get(provider, NO_CEILING)
    stream_rate = rates.parse(settings.EMAIL_STREAM_RATES, Stream.values).get(stream, NO_CEILING)
    keys = [
        f"mailroom:budget:{provider}",
        f"mailroom:budget:{provider}:{stream}",
        f"mailroom:refused:{provider}:{stream}",
    ]
    try:
        granted, first, last = _script()(
            keys=keys,
            args=[
                wanted,
                *(_interval_us(provider_rate), _burst(provider_rate, stream)),
                *(_interval_us(stream_rate), _burst(stream_rate, stream)),
                LONGEST_WAIT_S * 1e6,
            ],
        )
    except redis.RedisError as error:
        raise BudgetUnavailableError(type(error).__name__) from None
    return Grant(granted, _spread(first / 1e6, last / 1e6, wanted - granted))


@cache
def _script() -> Script:
    return client().register_script(_SCRIPT)


def _interval_us(rate: float) -> float:
    return 1e6 / rate


def _burst(rate: float, stream: Stream) -> int:
    return max(BURST_AT_LEAST[stream], int(rate * BURST_S[stream]))


def _spread(first: float, last: float, count: int) -> tuple[float, ...]:
    if count == 0:
        return ()
    step = (last - first) / max(count - 1, 1)
    return tuple(first + step * place for place in range(count))
