"""Periodic jobs run without workers, and after beat has lost its schedule."""

import pytest

from tests.live.running import WORKERS, eventually

pytestmark = [pytest.mark.live, pytest.mark.long]


def done_since(live, moment):
    found = live.sql("SELECT name FROM notifications_housekeepingjob WHERE done_at > %s", moment)
    return {name for (name,) in found}


def make_due(live, tried_at):
    """Shift the time at which all jobs were last started, and return the present time."""
    (now,) = live.sql("SELECT statement_timestamp()")[0]
    live.sql("UPDATE notifications_housekeepingjob SET tried_at = statement_timestamp() + %s::interval", tried_at)
    return now


def test_jobs_run_without_a_worker_after_a_restart_of_beat_and_a_jump_of_the_clock(live):
    every = {name for (name,) in eventually(lambda: live.sql("SELECT name FROM notifications_housekeepingjob"))}
    assert {"watch-bounces", "purge-unconfirmed", "read-quotas"} <= every
    live.stop(*WORKERS)
    try:
        moment = make_due(live, "-1 day")
        eventually(lambda: done_since(live, moment) == every)
        live.stop("beat")
        for schedule in live.stack.folder.glob("celerybeat-schedule*"):
            schedule.unlink()
        moment = make_due(live, "-1 day")
        live.start("beat")
        eventually(lambda: done_since(live, moment) == every)
        moment = make_due(live, "1 day")
        eventually(lambda: done_since(live, moment) == every)
    finally:
        live.start(*WORKERS, *([] if live.stack.supervisor.state("beat") == "RUNNING" else ["beat"]))
