"""Decide which values may differ in a prepared email, and compare the others. Pure."""

from collections.abc import Hashable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

# Exactly these, not their subclasses: text that is HTML and lazy text print differently.
FIELD_TYPES = frozenset({str, int, float, Decimal, UUID, datetime, date, time, timedelta})
_BY_REPR = FIELD_TYPES - {str, int}


class NotComparableError(TypeError):
    """A value of a type whose equality does not prove that templates print the same."""


def frozen(value: Any) -> Hashable:
    """Return a key that two values share only if templates print them alike. Raises NotComparableError."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind in {int, bool, type(None)}:
        return (kind, value)
    if kind in _BY_REPR:
        # 1.0 and 1.00, or one moment in two time zones, are equal but print differently.
        return (kind, repr(value))
    if kind in {list, tuple}:
        return (kind, *map(frozen, value))
    if kind is dict:
        return (kind, *((frozen(name), frozen(item)) for name, item in value.items()))
    raise NotComparableError(kind.__name__)
