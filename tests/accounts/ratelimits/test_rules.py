from enum import StrEnum

import pytest
from django.conf import settings

from accounts.ratelimits.rules import Action, BadLimitError, Bucket, read
from devtools.stack.stack import PLENTY


class Two(StrEnum):
    ONE = "one"
    OTHER = "other"


@pytest.mark.parametrize(
    ("text", "amounts", "seconds"),
    [
        ("one=20/minute,other=5/5 minutes", [20, 5], [60, 300]),
        (" other = 1 per hour , one = 3/2 days ", [3, 1], [172_800, 3600]),
    ],
)
def test_limits_are_parsed(text, amounts, seconds):
    limits = [read(text, Two)[name] for name in Two]
    assert [limit.amount for limit in limits] == amounts
    assert [limit.get_expiry() for limit in limits] == seconds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "unknown name"),
        ("one=1/minute", "no limit for other"),
        ("one=1/minute,other=1/minute,third=1/minute", "unknown name"),
        ("one=1/minute,other=1/minute,one=2/minute", "one is set twice"),
        ("one=1/minute,other=", "not like"),
        ("one=1/minute,other=1/fortnight", "not like"),
        ("one=1/minute,other=-1/minute", "not like"),
        ("one=1/minute,other=0/minute", "at least 1"),
        ("one=1/minute;other=1/minute", "not like"),
        ("one=1/minute;2/hour,other=1/minute", "not like"),
        ("one=1/minute,other=99999999999999/minute", "at most"),
        ("one=1/minute,other=1/999999999999 minutes", "longer than a year"),
    ],
)
def test_invalid_limits_are_rejected_with_a_reason(text, why):
    with pytest.raises(BadLimitError, match=why):
        read(text, Two)


def test_shipped_and_local_settings_are_valid():
    assert set(read(settings.CLIENT_LIMITS, Action)) == set(read(PLENTY, Action)) == set(Action)
    assert set(read(settings.ADDRESS_LIMITS, Bucket)) == set(Bucket)
