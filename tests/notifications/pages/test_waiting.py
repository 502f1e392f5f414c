"""What a user who waits for an email sees, and when it is refreshed."""

import pytest

from notifications.pages.pace import Pace
from notifications.pages.waiting import can_be_resent, refresh_after_s, steps_at
from notifications.rules.progress import Progress


@pytest.mark.parametrize(
    ("progress", "age_s", "expected"),
    [
        (Progress.WAITING, 0, 0.5),
        (Progress.SENT, 0, 2),
        (Progress.DELIVERED, 0, 10),
        (Progress.WAITING, 61, 10),
        (Progress.SENT, 600, 10),
        (Progress.WAITING, 601, 0),
    ],
)
def test_page_refreshes_less_and_less(progress, age_s, expected):
    assert refresh_after_s(progress, age_s) == expected


@pytest.mark.parametrize(
    ("progress", "states"),
    [
        (Progress.WAITING, ["done", "now", "open"]),
        (Progress.UNCLEAR, ["done", "now", "open"]),
        (Progress.SENT, ["done", "done", "now"]),
        (Progress.UNREPORTED, ["done", "done", "open"]),
        (Progress.DELIVERED, ["done", "done", "done"]),
    ],
)
def test_steps(progress, states):
    assert steps_at(progress) == list(zip(("written", "sent", "delivered"), states, strict=True))


@pytest.mark.parametrize("progress", Progress)
def test_only_an_email_that_cannot_arrive_any_more_or_was_sent_is_resent(progress):
    expected = {Progress.SENT, Progress.DEFERRED, Progress.UNREPORTED, Progress.DELIVERED, Progress.FAILED}
    assert can_be_resent(progress) is (progress in expected)


def test_pace_counts_each_key_in_each_window():
    pace = Pace(most=2, window_s=1e9)
    assert [pace.allows(key) for key in "aabab"] == [True, True, True, False, True]
    pace.window_s = 1e-9
    assert pace.allows("a")
