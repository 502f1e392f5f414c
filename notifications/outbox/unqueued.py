"""Log emails that were not queued."""

from collections.abc import Callable
from contextvars import ContextVar

_is_logging: ContextVar[bool] = ContextVar("is_logging", default=False)


def log_unqueued(log: Callable[..., None], text: str, *values: object) -> None:
    """Log names and numbers. Pass no text of an error, which may repeat the email."""
    # A handler of logging may send the record as an email (AdminEmailHandler), which fails too.
    if _is_logging.get():
        return
    before = _is_logging.set(True)
    try:
        log(text, *values)
    finally:
        _is_logging.reset(before)
