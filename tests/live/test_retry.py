"""Celery's own retry of a single message: never before the row's due time."""

from contextlib import suppress
from datetime import datetime
from uuid import uuid4

import pytest

from tests.live.running import Running, eventually

pytestmark = pytest.mark.live


@pytest.fixture
def alone(live: Running):
    """Nobody but Celery carries a message a second time."""
    live.stop("relay")
    yield live
    live.start("relay")


def was_tried(running: Running, address: str) -> bool:
    return running.sql("SELECT attempts FROM notifications_message WHERE to_address = %s", address) != [(0,)]


def signed_up_and_refused(running: Running) -> str:
    """Return the address of somebody whose mail was refused once.

    Empty if the broker did not take it at once: a busy machine's is left to the relay.
    """
    address = f"first-try-{uuid4()}@example.com"
    running.simulator.set_controls(fail_next=1)
    running.site_client().sign_up(address)
    with suppress(AssertionError):
        eventually(lambda: was_tried(running, address), within_s=5)
        return address
    return ""


def test_retry_comes_after_the_due_time_and_wins_its_claim_at_its_first_try(alone):
    address = eventually(lambda: signed_up_and_refused(alone))
    # A retry that came too early would have found nothing to do, and nobody would have come after it.
    eventually(lambda: alone.statuses({address}) == {"sent"})
    ((task_id, due_at),) = alone.sql(
        "SELECT id::text, due_at FROM notifications_message WHERE to_address = %s", address
    )
    task = eventually(lambda: info if (info := alone.flower(f"/api/task/info/{task_id}").json())["succeeded"] else None)
    assert task["retries"] == 1
    # Its own attempt is the proof that it won its claim; on a busy machine the provider's yes may come by webhook only.
    assert task["result"] in {"'1 sent'", "'1 ambiguous'"}
    assert datetime.fromisoformat(task["eta"]) > due_at
