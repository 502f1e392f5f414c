import pytest

from notifications.runtime import watchdog
from notifications.runtime.watchdog import Seen, trouble

WELL = {"waiting": 0, "free": 8, "idle_s": 0.0, "still_s": 1.0, "unheard_s": 0.0}
STILL = f"{watchdog.STANDS} for 16 s"


@pytest.mark.parametrize(
    ("why", "seen", "expected"),
    [
        ("nothing to do", {}, ""),
        ("nothing waits, for long", {"idle_s": 4000}, ""),
        ("busy: all slots are taken", {"waiting": 90, "free": 0, "idle_s": 60}, ""),
        ("about to take it", {"waiting": 3, "idle_s": 19}, ""),
        ("takes nothing", {"waiting": 3, "idle_s": 21}, f"{watchdog.TAKES_NONE} for 21 s"),
        (
            "takes not one",
            {"waiting": 1, "idle_s": 30},
            f"{watchdog.TAKES_NONE} for 30 s",
        ),
        ("all slots are slow", {"free": 0, "full_s": 179, "oldest_s": 179}, ""),
        (
            "all slots are stuck",
            {"free": 0, "full_s": 181, "oldest_s": 181},
            f"{watchdog.ALL_STUCK} for 181 s",
        ),
        ("one task is slow", {"oldest_s": 899}, ""),
        ("one thread is stuck", {"oldest_s": 901}, f"{watchdog.ONE_STUCK} for 901 s"),
        ("one slow answer", {"waiting": None, "unheard_s": 9}, ""),
        ("nobody knows what waits", {"waiting": None, "unheard_s": 9, "idle_s": 60}, ""),
        ("broker away", {"waiting": None, "unheard_s": 11}, f"{watchdog.UNHEARD} for 11 s"),
        ("consumer stands", {"still_s": 16}, STILL),
        ("consumer stands, as the broker is away", {"waiting": None, "unheard_s": 16, "still_s": 16}, STILL),
    ],
)
def test_trouble(why, seen, expected):
    said = trouble(Seen(**(WELL | seen)))
    assert (bool(said), expected in said) == (bool(expected), True), why
