"""What is announced, as tables over checks that follow each other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notifications.operations.alerts.decision import (
    GRACE,
    LONGEST_QUIET,
    QUIET,
    SOON,
    Change,
    CurrentProblem,
    advance,
    changes,
)
from notifications.operations.finding import Code

START = datetime(2026, 5, 3, 12, tzinfo=UTC)
QUICK = Code.PROCESS_SILENT
SLOW = Code.NO_RELAY


def problem(code, *about):
    return CurrentProblem(code=code, text=f"{code} of {sorted(about)}", about=frozenset(about))


def at(seconds, *current, hidden=()):
    return START + timedelta(seconds=seconds), current, hidden


def replay(checks, *, posts=False):
    """Return what each check logs, and what the webhook gets if it works from the first check on."""
    known, logged, posted = {}, [], []
    for now, current, hidden in checks:
        after = advance(known, current, hidden, now)
        logged.append([(change, each.code) for change, each in changes(known, after)])
        posted.append([(each.unposted, each.code) for each in after.values() if each.unposted])
        known = {code: each.after_post() if posts and each.unposted else each for code, each in after.items()}
    return logged, posted


BEGAN, GREW, OVER = Change.BEGAN, Change.GREW, Change.OVER
QUIET_S = QUIET.total_seconds()
CASES = {
    "nothing": ([at(0)], [[]]),
    "with a threshold": ([at(0, problem(QUICK))], [[(BEGAN, QUICK)]]),
    "with a grace": ([at(0, problem(SLOW)), at(15, problem(SLOW))], [[], [(BEGAN, SLOW)]]),
    "short disturbance": ([at(0, problem(SLOW)), at(15), at(30, problem(SLOW))], [[], [], []]),
    "announced once": ([at(0, problem(QUICK)), at(15, problem(QUICK))], [[(BEGAN, QUICK)], []]),
    "over": (
        [at(0, problem(QUICK)), at(15), at(15 + QUIET_S), at(30 + QUIET_S)],
        [[(BEGAN, QUICK)], [], [(OVER, QUICK)], []],
    ),
    "a short gap": (
        [at(0, problem(QUICK)), at(15), at(QUIET_S - 1, problem(QUICK)), at(QUIET_S + 15, problem(QUICK))],
        [[(BEGAN, QUICK)], [], [], []],
    ),
    "begins again": (
        [at(0, problem(QUICK)), at(QUIET_S), at(QUIET_S + 15, problem(QUICK))],
        [[(BEGAN, QUICK)], [(OVER, QUICK)], [(BEGAN, QUICK)]],
    ),
    # A second cause explains it, so it is not shown; it is not over.
    "explained": (
        [at(0, problem(QUICK)), at(QUIET_S, problem(SLOW), hidden=[QUICK]), at(QUIET_S + 15, problem(QUICK))],
        [[(BEGAN, QUICK)], [], []],
    ),
    "explained from the start": ([at(0, problem(QUICK), hidden=[SLOW]), at(15, hidden=[SLOW])], [[(BEGAN, QUICK)], []]),
    "more processes": (
        [at(0, problem(QUICK, "main@a")), at(15, problem(QUICK, "main@a", "bulk@a")), at(30, problem(QUICK, "bulk@a"))],
        [[(BEGAN, QUICK)], [(GREW, QUICK)], []],
    ),
    # One of two ended and failed again: it was named before.
    "same process again": (
        [at(0, problem(QUICK, "a", "b")), at(15, problem(QUICK, "a")), at(30, problem(QUICK, "a", "b"))],
        [[(BEGAN, QUICK)], [], []],
    ),
    "two codes": ([at(0, problem(QUICK), problem(Code.LATE))], [[(BEGAN, QUICK), (BEGAN, Code.LATE)]]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_changes(name):
    checks, expected = CASES[name]
    logged, posted = replay(checks, posts=True)
    assert logged == expected
    assert posted == expected


def test_failing_webhook_gets_the_last_state_once():
    checks = [at(0, problem(QUICK, "a")), at(15, problem(QUICK, "a", "b"))]
    _, posted = replay(checks)
    assert posted == [[(BEGAN, QUICK)], [(BEGAN, QUICK)]]


def test_problem_that_ended_before_it_could_be_posted_is_not_posted():
    _, posted = replay([at(0, problem(QUICK)), at(QUIET_S)])
    assert posted == [[(BEGAN, QUICK)], []]


@pytest.mark.parametrize(("returns", "expected"), [(True, []), (False, [(OVER, SLOW)])])
def test_end_that_was_not_posted(returns, expected):
    """A problem that is back before its end was posted goes on; a disturbance afterwards does not hide the end."""
    begun = advance({}, [problem(SLOW)], (), START)
    on = {SLOW: advance(begun, [problem(SLOW)], (), START + timedelta(seconds=15))[SLOW].after_post()}
    over = advance(on, [], (), START + timedelta(hours=2))
    back = advance(over, [problem(SLOW)], (), START + timedelta(hours=2, seconds=15))
    last = [problem(SLOW)] if returns else []
    after = advance(back, last, (), START + timedelta(hours=2, seconds=30))
    assert [(each.unposted, each.code) for each in after.values() if each.unposted] == expected


def seconds_until_over(occurrence):
    for seconds in range(0, 4000, 30):
        (after,) = advance({QUICK: occurrence}, [], (), occurrence.seen_at + timedelta(seconds=seconds)).values()
        if after.over_at:
            return seconds
    return None


def test_problem_that_returns_often_must_be_quiet_for_longer():
    occurrence = advance({}, [problem(QUICK)], (), START)[QUICK]
    quiet = [seconds_until_over(replace(occurrence, returns=returns)) for returns in range(8)]
    assert quiet == [60, 120, 240, 480, 960, *[LONGEST_QUIET.total_seconds()] * 3]


@pytest.mark.parametrize(("pause", "returns"), [(SOON - timedelta(seconds=1), 1), (SOON, 0)])
def test_only_a_return_within_an_hour_counts(pause, returns):
    on = advance({}, [problem(QUICK)], (), START)
    over = advance(on, [], (), START + QUIET)
    assert advance(over, [problem(QUICK)], (), START + QUIET + pause)[QUICK].returns == returns


def test_grace_ends_within_a_minute_except_during_deployments():
    assert {code for code, grace in GRACE.items() if grace > timedelta(seconds=15)} == {Code.MISFITS}
