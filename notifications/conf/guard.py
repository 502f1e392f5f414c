"""The guard that ONLY_TO and REDIRECT_TO describe: docs/how-to/stage.md."""

from functools import lru_cache

from notifications.conf import settings
from notifications.rules.guard import Guard


def current_guard() -> Guard:
    return _guard(tuple(settings.ONLY_TO), settings.REDIRECT_TO)


@lru_cache(maxsize=4)
def _guard(only_to: tuple[str, ...], redirect_to: str) -> Guard:
    return Guard.of(only_to, redirect_to)
