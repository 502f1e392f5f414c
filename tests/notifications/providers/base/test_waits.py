"""The time that a provider asks us to wait."""

import time
from email.utils import formatdate

import pytest

from notifications.providers.base.http import retry_after_s, until_reset_s


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 1), ("-3", 1), ("1e9", 900), ("nan", None), ("inf", None), ("", None), (None, None)],
)
def test_retry_after_is_clamped(header, seconds):
    assert retry_after_s(header) == seconds


@pytest.mark.parametrize(
    ("reset_in_s", "seconds"),
    [(60, 60), (-60, 1), (0, 1), (86_400, 900)],
)
@pytest.mark.parametrize("skew_s", [-7200, 0, 7200])
def test_reset_is_measured_by_the_providers_clock(reset_in_s, seconds, skew_s):
    theirs = int(time.time()) + skew_s
    assert until_reset_s(str(theirs + reset_in_s), formatdate(theirs, usegmt=True)) == seconds


def test_retry_after_date_is_measured_by_the_providers_clock():
    theirs = int(time.time()) + 7200
    assert retry_after_s(formatdate(theirs + 60, usegmt=True), formatdate(theirs, usegmt=True)) == 60
    assert 50 <= (retry_after_s(formatdate(time.time() + 60, usegmt=True)) or 0) <= 60
    assert retry_after_s("tomorrow") is None


def test_reset_without_a_date_is_measured_by_ours():
    assert 800 <= (until_reset_s(str(time.time() + 850), "yesterday") or 0) <= 850
