"""Template filters for times that were stored as text: Django's would print nothing for them."""

from datetime import date as Date  # noqa: N812 - the filter is called date
from datetime import datetime as DateTime  # noqa: N812 - the same style
from datetime import time as Time  # noqa: N812 - the same style
from functools import wraps
from typing import Any

from django.template import Library, defaultfilters
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from django.utils.timezone import template_localtime  # type: ignore[attr-defined] # the stubs lack it

# Names of filters, which a message's context passes text to: `enqueue` stores times as JSON does, in ISO 8601.
register = Library()


# With `wraps`, they count as Django's own: their output depends on their arguments and the language only.
@register.filter(expects_localtime=True, is_safe=False)
@wraps(defaultfilters.date)
def date(value: Any, form: str | None = None) -> str:
    return str(defaultfilters.date(_read(value), form))


@register.filter(expects_localtime=True, is_safe=False)
@wraps(defaultfilters.time)
def time(value: Any, form: str | None = None) -> str:
    return str(defaultfilters.time(_read(value), form))


def _read(value: Any) -> Any:
    # Raises ValueError for a text that is no time: an error is better than thousands of emails with a gap.
    if not isinstance(value, str) or not value:
        return value
    found = _parsed(value)
    if found is None:
        raise ValueError("not a date or time")
    return template_localtime(found)


def _parsed(text: str) -> DateTime | Date | Time | None:
    return parse_date(text) or parse_datetime(text) or parse_time(text)
