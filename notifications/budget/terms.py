"""Turn the budget's settings into the parameters of its scripts."""

from dataclasses import dataclass
from functools import lru_cache

from notifications.budget import rates
from notifications.conf import settings
from notifications.providers.registry import PROVIDERS
from notifications.rules.states import Stream

STREAMS = tuple(Stream.values)

# Each text is parsed only once: settings hardly ever change.
_rates, _floors, _daily = (lru_cache(rates.parse_rates), lru_cache(rates.parse_floors), lru_cache(rates.parse_daily))

# How far a stream may draw the provider's bucket down by borrowing: messages, plus seconds' worth of the rate. Critical
# email can use what other streams must leave. The bucket does not overflow while workers ask every 0.4 s and the relay
# publishes refused messages again every 0.2 s.
BORROW = {Stream.CRITICAL: 2.0, Stream.DEFAULT: 1.75, Stream.BULK: 1.5}
BORROW_S = {Stream.CRITICAL: 0.6, Stream.DEFAULT: 0.5, Stream.BULK: 0.4}
# Below that is the room for the floors: one message and this many seconds' worth of each. So a floor never finds the
# bucket empty, however much other streams have borrowed.
FLOOR_S = 0.2
#: The time between a grant and its call: there is some work, and the machine may be busy.
USE_WITHIN_S = 0.25
CEILING_S = 0.4
# Bulk leaves the last fifth of the daily limit to email that users wait for.
DAY_SHARE = {Stream.CRITICAL: 1.0, Stream.DEFAULT: 1.0, Stream.BULK: 0.8}
DAY_WAIT_S = 300.0
#: The longest wait after the first message of a group can be sent; then a message asks again.
LONGEST_WAIT_S = 30.0
LONGEST_PAUSE_S = 900.0
RECOVERY_PER_MINUTE = 0.05


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What one stream of one provider may take. A limit that is None does not exist."""

    stream: str
    #: Messages per second of the provider, all streams together.
    rate: float
    #: Messages per second of this stream.
    ceiling: float | None
    #: Messages of the provider in any 24 hours.
    daily: int | None
    #: The shares of the rate that are kept for each stream, and for this one.
    floors: tuple[float, ...]
    floor: float
    #: How far this stream may draw the bucket down: messages, and seconds' worth of the rate.
    borrow: float
    borrow_s: float
    #: The part of the daily limit that this stream may use.
    day_share: float
    #: The same for every stream.
    deepest: float = BORROW[Stream.CRITICAL]
    deepest_s: float = BORROW_S[Stream.CRITICAL]
    floor_s: float = FLOOR_S
    ceiling_s: float = CEILING_S
    day_wait_us: float = DAY_WAIT_S * 1e6
    longest_wait_us: float = LONGEST_WAIT_S * 1e6
    longest_pause_us: float = LONGEST_PAUSE_S * 1e6
    recovery_per_us: float = RECOVERY_PER_MINUTE / 60e6


def terms_of(provider: str, stream: Stream) -> Terms:
    floors = _floors(settings.EMAIL_STREAM_FLOORS, STREAMS)
    return Terms(
        stream=stream.value,
        rate=rate_of(provider),
        ceiling=_rates(settings.EMAIL_STREAM_RATES, STREAMS).get(stream),
        daily=_daily(settings.EMAIL_DAILY, tuple(PROVIDERS)).get(provider),
        floors=tuple(floors.get(each, 0.0) for each in Stream),
        floor=floors.get(stream, 0.0),
        borrow=BORROW[stream],
        borrow_s=BORROW_S[stream],
        day_share=DAY_SHARE[stream],
    )


def rate_of(provider: str) -> float:
    """Return messages per second: the provider's usual rate, if EMAIL_RATE names only others."""
    text = settings.EMAIL_RATE
    named = {} if text == rates.USUAL else _rates(text, tuple(PROVIDERS))
    usual = PROVIDERS[provider].backend().usual_rate if text.strip() and provider in PROVIDERS else None
    return named.get(provider) or usual or rates.FASTEST


def burst(rate: float) -> float:
    # The most calls beyond rate * T in a window of T seconds: about one second's worth.
    floors = _floors(settings.EMAIL_STREAM_FLOORS, STREAMS).values()
    deepest = BORROW[Stream.CRITICAL] + rate * BORROW_S[Stream.CRITICAL]
    depth = deepest + sum(1 + share * rate * FLOOR_S for share in floors if share)
    return depth + rate * USE_WITHIN_S
