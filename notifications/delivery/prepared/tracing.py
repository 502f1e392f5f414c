"""Trace what templates do with values, by rendering stand-ins in their place.

A template may print a stand-in, pass it through filters and test whether it is true. A print leaves a token in the
output, a filter is applied later, and a test is remembered. Any other use raises UnsupportedUseError.
"""

import inspect
import re
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from django.template import Context
from django.template.base import render_value_in_context
from django.utils.safestring import SafeData, mark_safe
from django.utils.timezone import template_localtime  # type: ignore[attr-defined] # the stubs lack it

Data = dict[str, Any]

_UNESCAPED = Context(autoescape=False)


def printed_text(value: Any) -> str:
    """Return what a template prints for a value in the active language, not escaped."""
    return str(render_value_in_context(value, _UNESCAPED))


class UnsupportedUseError(BaseException):
    """A template does more with a value than print, filter and test it. `names` are the names of such values.

    Not an Exception, because Django ignores those in `{% if %}`.
    """

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        super().__init__(*sorted(names))
        self.names = names


class Trace:
    """Records what the templates of one email do with stand-ins for the values in `data`."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.prefix = f"m{secrets.token_hex(8)}x"
        self.token = re.compile(rf"{self.prefix}(\d+)z")
        #: What each token stands for, by its number.
        self.printed: list[StandIn] = []
        #: What decided the way through the templates.
        self.conditions: list[tuple[StandIn, bool]] = []

    def stand_in(self, name: str) -> "StandIn":
        return StandIn(self, lambda data: data[name], frozenset({name}))


class StandIn:
    """Stands for a value that is computed for each recipient."""

    def __init__(self, trace: Trace, evaluate: Callable[[Data], Any], names: frozenset[str]) -> None:
        self.trace = trace
        self.evaluate = evaluate
        self.names = names

    def __str__(self) -> str:
        # Anything but Django's print could do something with the text.
        caller = inspect.currentframe()
        if not (caller and caller.f_back and caller.f_back.f_code is render_value_in_context.__code__):
            raise UnsupportedUseError(self.names)
        self.trace.printed.append(self)
        return f"{self.trace.prefix}{len(self.trace.printed) - 1}z"

    def __bool__(self) -> bool:
        try:
            is_true = bool(self.evaluate(self.trace.data))
        except Exception as error:
            # Django ignores some errors in `{% if %}`.
            raise UnsupportedUseError(self.names) from error
        self.trace.conditions.append((self, is_true))
        return is_true

    def __getattr__(self, name: str) -> NoReturn:
        raise UnsupportedUseError(self.names)

    def _refuse(self, *arguments: object) -> NoReturn:
        raise UnsupportedUseError(self.names)

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __getitem__ = _refuse
    __hash__ = __len__ = __iter__ = __format__ = __int__ = __float__ = __index__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _refuse


def applied_later(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a template filter that, for a stand-in, returns a stand-in for its result."""

    @wraps(function)
    def filter_of_stand_ins(*values: Any, **options: Any) -> Any:
        stand_ins = [value for value in values if isinstance(value, StandIn)]
        if not stand_ins:
            return function(*values, **options)

        def evaluate(data: Data) -> Any:
            return _filtered(function, [_value(value, data) for value in values], options)

        return StandIn(stand_ins[0].trace, evaluate, frozenset().union(*(each.names for each in stand_ins)))

    return filter_of_stand_ins


def _value(value: Any, data: Data) -> Any:
    return value.evaluate(data) if isinstance(value, StandIn) else value


def _filtered(function: Callable[..., Any], values: list[Any], options: dict[str, Any]) -> Any:
    # As Django's FilterExpression does.
    if getattr(function, "expects_localtime", False):
        values[0] = template_localtime(values[0])
    result = function(*values, **options)
    is_safe = getattr(function, "is_safe", False) and isinstance(values[0], SafeData)
    return mark_safe(result) if is_safe else result  # noqa: S308 - Django's own rule
