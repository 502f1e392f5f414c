"""Celery retries a single message, never before the row's due time."""

from contextlib import suppress
from datetime import datetime
from uuid import uuid4

import pytest

from tests.live.running import Running, eventually

pytestmark = pytest.mark.live


@pytest.fixture
def alone(live: Running):
    """Stop the relay, so that only Celery retries a message."""
    live.stop("relay")
    yield live
    live.start("relay")


def was_tried(running: Running, address: str) -> bool:
    return running.sql("SELECT attempts FROM notifications_message WHERE to_address = %s", address) != [(0,)]


def signed_up_and_refused(running: Running) -> str:
    """Return the address of a user whose email was refused once.

    Empty if the request did not publish it, which on a busy machine it leaves to the relay.
    """
    address = f"first-try-{uuid4()}@example.com"
    running.simulator.set_controls(fail_next=1)
    running.site_client().sign_up(address)
    with suppress(AssertionError):
        eventually(lambda: was_tried(running, address), within_s=10)
        return address
    return ""


def test_retry_runs_after_the_due_time_and_claims_the_message(alone):
    address = eventually(lambda: signed_up_and_refused(alone))
    # A retry before the due time would find nothing to do, and no other would follow.
    eventually(lambda: alone.statuses({address}) == {"sent"})
    ((task_id, due_at, attempts),) = alone.sql(
        "SELECT id::text, due_at, attempts FROM notifications_message WHERE to_address = %s", address
    )
    # On a busy machine only the webhook may report the acceptance, and the task fails.
    ended = {"SUCCESS", "FAILURE"}
    task = eventually(lambda: info if (info := alone.task_in_flower(task_id)).get("state") in ended else None)
    assert task["retries"] == 1
    # The second attempt proves that its claim succeeded.
    assert attempts == 2
    assert datetime.fromisoformat(task["eta"]) > due_at
