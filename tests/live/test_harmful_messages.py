"""Messages that always fail, or block their thread for good, stop no other email."""

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
    """Replace the stack's workers by one with harmful messages."""
    command = [sys.executable, "-m", "config.celery_command", "worker", "-n", "harmful@%h", "-P", "threads"]
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
            # Its blocked threads would keep it from ending.
            process.kill()
            process.wait()
            # `manage.py status` would report it as lost in later tests.
            live.sql("DELETE FROM notifications_processheartbeat WHERE name LIKE 'harmful@%%'")


@pytest.mark.parametrize("kind", ["poison", "stuck"])
def test_harmful_messages_stop_no_other_email(unattended, kind):
    bad = {f"{kind}{number}@example.com" for number in range(3)}
    good = {f"beside-{kind}{number}@example.com" for number in range(30)}
    with worker(unattended, threads=6):
        enqueue(unattended, bad)
        tried = "SELECT count(*) FROM notifications_message WHERE to_address = ANY(%s) AND attempts > 0"
        eventually(lambda: unattended.sql(tried, list(bad))[0][0] == len(bad))
        enqueue(unattended, good)
        eventually(lambda: unattended.statuses(good) == {"sent"})
        assert "sent" not in unattended.statuses(bad)
        # Leave no harmful message in the queue for the next test.
        unattended.sql(
            "DELETE FROM notifications_deliveryattempt WHERE message_id IN"
            " (SELECT id FROM notifications_message WHERE to_address = ANY(%s))",
            list(bad),
        )
        unattended.sql("DELETE FROM notifications_message WHERE to_address = ANY(%s)", list(bad))
    assert set(unattended.accepted(good).values()) == {1}
