"""Celery's own retry of a single message: never before the row's due time."""

from datetime import datetime

import pytest

from tests.live.running import eventually

pytestmark = pytest.mark.live


def test_retry_comes_after_the_due_time_and_wins_its_claim_at_its_first_try(live):
    address = "first-try@example.com"
    live.simulator.turn(fail_next=1)
    live.person().sign_up(address)
    eventually(lambda: live.statuses({address}) == {"sent"})
    ((task_id, due_at, relayed),) = live.sql(
        "SELECT id::text, due_at, relayed FROM notifications_message WHERE to_address = %s", address
    )
    # A retry that came too early would have found nothing to do, and the relay would have carried the message.
    assert relayed == 0
    task = eventually(lambda: info if (info := live.flower(f"/api/task/info/{task_id}").json())["succeeded"] else None)
    assert task["retries"] == 1
    # Its own attempt is the proof that it won its claim; on a busy machine the provider's yes may come by webhook only.
    assert task["result"] in {"'1 sent'", "'1 ambiguous'"}
    assert datetime.fromisoformat(task["eta"]) > due_at
