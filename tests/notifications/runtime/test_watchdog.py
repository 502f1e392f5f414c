import pytest

from notifications.runtime.troubles import ALL_STUCK, BROKER_SILENT, CONSUMER_STUCK, ONE_STUCK, TAKES_NONE, describe
from notifications.runtime.watchdog import Seen, diagnose

WELL = {"waiting": 0, "free": 8, "idle_s": 0.0, "still_s": 1.0, "unheard_s": 0.0}
STILL = describe(CONSUMER_STUCK, 16)


@pytest.mark.parametrize(
    ("why", "seen", "expected"),
    [
        ("nothing to do", {}, ""),
        ("nothing waits, for long", {"idle_s": 4000}, ""),
        ("busy: all slots are taken", {"waiting": 90, "free": 0, "idle_s": 60}, ""),
        ("about to take it", {"waiting": 3, "idle_s": 19}, ""),
        ("takes nothing", {"waiting": 3, "idle_s": 21}, describe(TAKES_NONE, 21, tasks=3)),
        (
            "takes not one",
            {"waiting": 1, "idle_s": 30},
            describe(TAKES_NONE, 30, tasks=1),
        ),
        ("all slots are slow", {"free": 0, "full_s": 179, "oldest_s": 179}, ""),
        (
            "all slots are stuck",
            {"free": 0, "full_s": 181, "oldest_s": 181},
            describe(ALL_STUCK, 181),
        ),
        ("one task is slow", {"oldest_s": 899}, ""),
        ("one thread is stuck", {"oldest_s": 901}, describe(ONE_STUCK, 901)),
        ("one slow answer", {"waiting": None, "unheard_s": 9}, ""),
        ("unknown number of waiting tasks", {"waiting": None, "unheard_s": 9, "idle_s": 60}, ""),
        ("broker away", {"waiting": None, "unheard_s": 11}, describe(BROKER_SILENT, 11)),
        ("consumer stands", {"still_s": 16}, STILL),
        ("consumer stands, as the broker is away", {"waiting": None, "unheard_s": 16, "still_s": 16}, STILL),
    ],
)
def test_trouble(why, seen, expected):
    assert diagnose(Seen(**(WELL | seen))) == expected, why
