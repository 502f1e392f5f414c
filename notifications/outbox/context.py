"""Convert a message's context to what the database stores. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder


class BadContextError(ValueError):
    """A context that cannot be stored. The text names the field and its type, never the value."""


def stored(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context as PostgreSQL stores it and templates receive it.

    Raises BadContextError. As JSON: decimals, dates, times, durations, UUIDs and lazy strings become text.
    """
    if not isinstance(context, Mapping):
        raise BadContextError(f"context must be a mapping, not {type(context).__name__}")
    for name in context:
        if not isinstance(name, str):
            raise BadContextError(f"context has a key of type {type(name).__name__}; keys must be text")
    try:
        text = _encoded("context", dict(context))
    except BadContextError:
        # Name the field, if it is one alone.
        for name, value in context.items():
            _encoded(name, value)
        raise
    return dict(json.loads(text))


def _encoded(name: str, value: Any) -> str:
    try:
        text = json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        where, kind = next(_unencodable(name, value, 0), (name, type(value).__name__))
        raise BadContextError(f"context field {where} cannot be stored: {kind}") from error
    if "\\u0000" in text and "\\u0000" in text.replace("\\\\", ""):
        raise BadContextError(f"context field {name} cannot be stored: text with a NUL character")
    return text


#: Deeper than any context of a real template.
_DEEPEST = 20


def _unencodable(name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    # Yields the innermost fields that cannot be encoded, with their types.
    if depth < _DEEPEST and isinstance(value, dict):
        for key, item in value.items():
            yield from _unencodable(f"{name}.{key}", item, depth + 1)
    elif depth < _DEEPEST and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unencodable(f"{name}[{index}]", item, depth + 1)
    else:
        try:
            json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError, RecursionError):
            yield name, type(value).__name__
