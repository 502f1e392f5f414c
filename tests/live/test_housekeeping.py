"""Periodic jobs go on where email does not, and beat's own memory is lost."""

import pytest

from tests.live.running import WORKERS, eventually

pytestmark = [pytest.mark.live, pytest.mark.long]


def done_since(live, moment):
    found = live.sql("SELECT name FROM notifications_housekeepingjob WHERE done_at > %s", moment)
    return {name for (name,) in found}


def make_due(live, tried_at):
    """Pretend that all jobs were last started at another time, and return the present one."""
    (now,) = live.sql("SELECT statement_timestamp()")[0]
    live.sql("UPDATE notifications_housekeepingjob SET tried_at = statement_timestamp() + %s::interval", tried_at)
    return now


def test_jobs_are_done_without_a_worker_after_a_restart_of_beat_and_by_a_wrong_clock(live):
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
