"""Messages that are refused every time, or hold their thread for good: everyone else's email goes on."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from config.environment import BASE_DIR
from tests.live.running import WORKERS, eventually

pytestmark = [pytest.mark.live, pytest.mark.long]

ENQUEUE = """
from notifications.outbox import Draft, enqueue_many
context = {"sender": "An operator", "sent_from": "here"}
enqueue_many([Draft(kind="provider-test", to=address, context=context) for address in ADDRESSES])
"""


def enqueue(live, addresses):
    live.stack.manage("shell", "-v", "0", "-c", f"ADDRESSES = {sorted(addresses)!r}{ENQUEUE}")


@contextmanager
def worker(live, threads):
    """Let a worker that meets harmful messages do all the work."""
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-n", "harmful@%h", "-P", "threads"]
    with (
        live.without(*WORKERS),
        (live.stack.supervisor.log_folder / "harmful-worker.log").open("ab") as log,
        subprocess.Popen(
            [*command, "-c", str(threads), "-Q", "critical,default,bulk", "-I", "tests.live.harmful"],
            cwd=BASE_DIR,
            env=live.stack.environment | {"MAILROOM_ROLE": "worker"},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            yield
        finally:
            # Its stuck threads would keep it from ending.
            process.kill()


@pytest.mark.parametrize("harm", ["poison", "stuck"])
def test_everyone_elses_email_goes_on(unattended, harm):
    bad = {f"{harm}{number}@example.com" for number in range(3)}
    good = {f"beside-{harm}{number}@example.com" for number in range(30)}
    with worker(unattended, threads=6):
        enqueue(unattended, bad)
        tried = "SELECT count(*) FROM notifications_message WHERE to_address = ANY(%s) AND attempts > 0"
        eventually(lambda: unattended.sql(tried, list(bad))[0][0] == len(bad))
        enqueue(unattended, good)
        eventually(lambda: unattended.statuses(good) == {"sent"})
        assert "sent" not in unattended.statuses(bad)
        # What harms is not left in the queue of the tests after this one.
        unattended.sql(
            "DELETE FROM notifications_deliveryattempt WHERE message_id IN"
            " (SELECT id FROM notifications_message WHERE to_address = ANY(%s))",
            list(bad),
        )
        unattended.sql("DELETE FROM notifications_message WHERE to_address = ANY(%s)", list(bad))
    assert set(unattended.accepted(good).values()) == {1}
