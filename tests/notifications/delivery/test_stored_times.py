"""Values of a context are stored as text; templates format them like the values themselves."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy, override

from notifications.outbox.context import stored
from tests.notifications.delivery.prepared.rendering import message, rendered, rendered_alone, templates

NOON = datetime(2030, 1, 31, 12, 5, tzinfo=UTC)
GERMAN = {"language": "de"}


@pytest.mark.parametrize(
    ("value", "print_", "expected"),
    [
        (Decimal("1234.5"), "x|floatformat:2", "1234.50"),
        (Decimal("19.90"), "x", "19.90"),
        (date(2030, 1, 31), 'x|date:"j F Y"', "31 January 2030"),
        (date(2030, 1, 31), "x", "2030-01-31"),
        (NOON, 'x|date:"j F Y, H:i"', "31 January 2030, 12:05"),
        (NOON, 'x|time:"H:i"', "12:05"),
        (time(8, 30), 'x|time:"H:i"', "08:30"),
        (timedelta(hours=1), "x", "P0DT01H00M00S"),
        (UUID(int=7), "x", "00000000-0000-0000-0000-000000000007"),
        (gettext_lazy("Email"), "x", "Email"),
        (None, 'x|date:"Y"|default:"-"', "-"),
    ],
)
def test_stored_value_is_formatted(value, print_, expected):
    context = stored({"x": value, "language": "en"})
    with templates(text=f"{{{{ {print_} }}}}"):
        alone, prepared = rendered_alone(message(**context)), [rendered(message(**context)) for _ in range(4)][-1]
    assert alone.text == prepared.text == expected


def test_stored_values_follow_the_language_of_the_email():
    context = stored({"total": Decimal("19.90"), "due": date(2030, 1, 31), **GERMAN})
    with templates(text='{{ total|floatformat:2 }} {{ due|date:"j. F Y" }}'):
        assert rendered(message(**context)).text == "19,90 31. Januar 2030"


def test_time_is_shown_in_the_time_zone_of_the_site(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    with templates(text='{{ x|date:"H:i" }}'):
        assert rendered(message(**stored({"x": NOON, "language": "en"}))).text == "21:05"


def test_lazy_text_is_stored_in_the_language_of_the_caller():
    lazy = gettext_lazy("Email")
    with override("de"):
        assert stored({"x": lazy}) == {"x": str(lazy)} != {"x": "Email"}


@pytest.mark.parametrize("text", ["tomorrow", "4711", "2030-13-41"])
def test_text_that_is_no_time_is_an_error_and_not_a_gap(text):
    with templates(text='{{ x|date:"Y" }}'):
        assert rendered(message(x=text, language="en")) == "ValueError"
