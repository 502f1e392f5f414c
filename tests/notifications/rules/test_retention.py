"""How long rows are kept."""

import pytest

from notifications.rules.retention import kept_days


@pytest.mark.parametrize(
    ("configured", "soft_bounce_days", "brake_days", "days"),
    [
        (180, 14, 0.1, 180),
        (0, 14, 0.1, None),
        (1, 14, 0.1, 30),  # a system check refuses this
        (30, 60, 0.1, 68),  # soft bounces count for longer
        (30, 14, 89.5, 91),  # so does the bounce brake
    ],
)
def test_kept_days(configured, soft_bounce_days, brake_days, days):
    assert kept_days(configured, soft_bounce_days=soft_bounce_days, brake_days=brake_days) == days
