import pytest

from config.watchdog import Seen, trouble


@pytest.mark.parametrize(
    ("why", "waiting", "free", "idle_s", "still_s", "expected"),
    [
        ("nothing to do", 0, 8, 0, 1, ""),
        ("idle for long, and nothing waits", 0, 8, 4000, 1, ""),
        ("busy: all slots are taken", 90, 0, 60, 1, ""),
        ("about to take it", 3, 8, 19, 1, ""),
        ("takes nothing", 3, 8, 21, 1, "3 tasks wait in its queues and it has taken none for 21 s"),
        ("takes not even one", 1, 1, 30, 1, "1 task waits in its queues and it has taken none for 30 s"),
        ("broker away for a moment", None, 8, 0, 1, "the broker does not answer"),
        (
            "consumer stands",
            *(None, 8, 0, 16),
            "its consumer has not turned for 16 s: it has no connection to the broker",
        ),
    ],
)
def test_trouble(why, waiting, free, idle_s, still_s, expected):
    assert trouble(Seen(waiting=waiting, free=free, idle_s=idle_s, still_s=still_s)) == expected, why
