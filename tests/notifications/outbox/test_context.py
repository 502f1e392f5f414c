"""The values that a message's context may contain, and the errors for others."""

import enum
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy

from notifications.emails import PROVIDER_TEST
from notifications.models import Message
from notifications.outbox import Draft, enqueue
from notifications.outbox.context import BadContextError, stored


class Size(enum.StrEnum):
    LARGE = "large"


CYCLE: dict = {}
CYCLE["itself"] = CYCLE


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Decimal("12.30"), "12.30"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00Z"),
        (time(3, 4), "03:04:00"),
        (timedelta(hours=1), "P0DT01H00M00S"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (gettext_lazy("a sentence"), "a sentence"),
        (Size.LARGE, "large"),
        ([1, None, True, 1.5, "x"], [1, None, True, 1.5, "x"]),
        ((1, 2), [1, 2]),
        ({"lines": [{"price": Decimal("1.10")}]}, {"lines": [{"price": "1.10"}]}),
        ("ü\n\\u0000", "ü\n\\u0000"),
    ],
)
def test_value_is_stored(value, kept):
    assert stored({"field": value}) == {"field": kept}


@pytest.mark.parametrize(
    ("context", "named"),
    [
        ({"good": 1, "bad": object()}, ["bad", "object"]),
        ({"bad": {1, 2}}, ["bad", "set"]),
        ({"bad": b"canary"}, ["bad", "bytes"]),
        ({"order": {"lines": [{"price": 1}, {"price": 1j}]}}, ["order.lines[1].price", "complex"]),
        ({"bad": float("nan")}, ["bad", "float"]),
        ({"bad": float("inf")}, ["bad", "float"]),
        ({"bad": "canary\ud800"}, ["bad", "str"]),
        ({"bad": "canary\0"}, ["bad", "NUL"]),
        ({"bad": time(1, tzinfo=UTC)}, ["bad", "time"]),
        ({"bad": CYCLE}, ["dict"]),
        ({1: "canary"}, ["int"]),
        ({"bad": {(1, 2): 3}}, ["bad", "dict"]),
    ],
)
def test_field_that_cannot_be_stored_is_named(context, named):
    with pytest.raises(BadContextError) as refused:
        stored(context)
    assert all(part in str(refused.value) for part in named)
    assert "canary" not in str(refused.value)


@pytest.mark.django_db
def test_context_is_the_same_for_a_template_before_and_after_the_database():
    message = enqueue(Draft(kind=PROVIDER_TEST.name, to="ada@example.com", context={"total": Decimal("1.10")}))
    assert message.context == Message.objects.get().context == {"total": "1.10"}


@pytest.mark.django_db
def test_nothing_is_written_with_a_context_that_cannot_be_stored():
    with pytest.raises(BadContextError):
        enqueue(Draft(kind=PROVIDER_TEST.name, to="ada@example.com", context={"total": object()}))
    assert not Message.objects.exists()
