"""The provider's speed, by which delivery decides how many messages go together."""

from collections import defaultdict

# Threads of one process share the interpreter: in a busy worker a call takes many times as long as the provider does.
# The fastest of a few calls is closest to the provider's time. As many as the largest group has, so that the calls of
# one group show that a provider has become slow.
RECENT = 10
#: Of a provider that this process has not called yet, so that its first group is one message.
UNKNOWN_S = 60.0

#: Seconds of this process's last calls, by provider. Replaced as a whole, because several threads read them.
recent: defaultdict[str, tuple[float, ...]] = defaultdict(tuple)


def seconds_per_call(provider: str) -> float:
    """Return the seconds that the provider needs for a call. Before the first one, its speed is unknown."""
    return min(recent[provider], default=UNKNOWN_S)


def note_call(provider: str, seconds: float, *, is_accepted: bool) -> None:
    # A refusal may be much faster than an acceptance, and a failure can come without the provider.
    counted = seconds if is_accepted else max(seconds, seconds_per_call(provider))
    recent[provider] = (*recent[provider][1 - RECENT :], counted)
