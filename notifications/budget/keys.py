"""Name what the budget keeps in Redis."""


def state_key(provider: str) -> str:
    """A provider's buckets and limits, a hash; `pause` holds the end of a pause that the provider asked for (us)."""
    return f"mailroom:budget:{provider}"


def day_key(provider: str) -> str:
    """How many messages a provider was given, a hash by hour since the epoch."""
    return f"mailroom:day:{provider}"


def pace_key(provider: str, stream: str) -> str:
    """How many messages of a stream may go in a second; present while the budget holds the stream back."""
    return f"mailroom:pace:{provider}:{stream}"
