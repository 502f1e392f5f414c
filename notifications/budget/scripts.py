"""Run the budget's Lua scripts: each is one atomic step on Redis' clock."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from redis.commands.core import Script

from notifications.budget.keys import day_key, pace_key, state_key
from notifications.budget.terms import Terms
from notifications.runtime.redis_client import client

# A provider's state is one hash (KEYS[1]); its daily count is a second one (KEYS[2]: hour since the epoch -> messages).
# A bucket is a GCRA: a token bucket that stores the time at which it will be full instead of a level. Times are
# microseconds since the epoch. ARGV[1] is a JSON object, called `ask` in the scripts.

# The files in lua/ that a script consists of, in this order.
PARTS = {
    "reserve": ("state", "buckets", "reserve"),
    "release": ("state", "buckets", "release"),
    "uncount": ("state", "uncount"),
    "throttle": ("state", "throttle"),
    "quota": ("state", "quota"),
    "rebuild_day": ("state", "rebuild_day"),
}


def run(name: str, provider: str, *, terms: Terms | None = None, **values: Any) -> Any:
    """Run a script for a provider; None values are left out. Raises redis.RedisError."""
    keys = [state_key(provider), day_key(provider)]
    if terms:
        keys.append(pace_key(provider, terms.stream))
        values |= vars(terms)
    ask = {field: value for field, value in values.items() if value is not None}
    return script(source(name))(keys=keys, args=[json.dumps(ask)])


@cache
def source(name: str) -> str:
    folder = files("notifications.budget").joinpath("lua")
    return "\n".join(folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in PARTS[name])


@cache
def script(text: str) -> Script:
    # Bound to the process's client; sent once and called by its hash afterwards.
    return client().register_script(text)
