"""The budget's keys in Redis."""


def state_key(provider: str) -> str:
    # A hash: buckets and limits; `pause` is the end of a pause that the provider asked for (us).
    return f"mailroom:budget:{provider}"


def day_key(provider: str) -> str:
    # A hash: messages sent through the provider, by hour since the epoch.
    return f"mailroom:day:{provider}"


def pace_key(provider: str, stream: str) -> str:
    # Messages per second of a stream; present while the budget holds the stream back.
    return f"mailroom:pace:{provider}:{stream}"
