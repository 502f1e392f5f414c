"""What the current thread works for, so that each log line can name it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

Fields = Mapping[str, str | Sequence[str]]

_fields: ContextVar[Fields] = ContextVar("mailroom_log_fields")
_NOTHING: Fields = {}


@contextmanager
def log_context(**fields: str | Sequence[str]) -> Iterator[None]:
    """Add `fields` to the log lines of the block: `request_id`, `task_id`, `message_ids`."""
    token = _fields.set({**log_fields(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def log_fields() -> Fields:
    return _fields.get(_NOTHING)
