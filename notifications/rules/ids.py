"""Ids that grow with time: indexes of large tables grow at their end."""

import os
import time
from uuid import UUID

_RANDOM_BITS = 80
_VERSION, _VARIANT = 0x7 << 76, 0x2 << 62
_FIXED = 0xF << 76 | 0x3 << 62


def time_ordered_id() -> UUID:
    """Return a UUID of version 7: milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    bits = milliseconds << _RANDOM_BITS | int.from_bytes(os.urandom(_RANDOM_BITS // 8))
    return UUID(int=bits & ~_FIXED | _VERSION | _VARIANT)
