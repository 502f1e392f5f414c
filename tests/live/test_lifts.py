"""A provider whose management API hangs while real workers run."""

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from tests.live.running import KEYS, eventually

pytestmark = [pytest.mark.live, pytest.mark.long]

LIFTED = 20


@contextmanager
def hanging_api():
    """Accept connections and never answer; yield the port and the accepted connections."""
    taken = []
    with socket.create_server(("127.0.0.1", free_port())) as server:

        def accept():
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], taken
    for connection in taken:
        connection.close()


@contextmanager
def beat_that_asks(live, port):
    """Replace the stack's beat by one that asks the API at `port`, until the block ends."""
    settings = {"SENDGRID_API_URL": f"http://127.0.0.1:{port}/v3/", "MAILROOM_ROLE": "beat"}
    schedule = live.stack.folder / "hanging-schedule"
    live.stop("beat")
    with (live.stack.supervisor.log_folder / "hanging-beat.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.celery_command", "beat", "-s", str(schedule)],
            cwd=BASE_DIR,
            env=live.stack.environment | KEYS | settings,
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)
            live.start("beat")


def test_hanging_management_api_stops_no_email_and_no_other_job(live):
    with hanging_api() as (port, taken):
        live.sql(
            "INSERT INTO notifications_suppression (address, reason, detail, provider, lifted_at, lift_reason,"
            " provider_lift) SELECT 'lifted' || n || '@example.com', 'hard bounce', '', 'sendgrid', now(), '', ''"
            " FROM generate_series(1, %s) AS n",
            LIFTED,
        )
        with beat_that_asks(live, port):
            eventually(lambda: taken)
            live.site_client().sign_up("beside-a-hanging-api@example.com")
            eventually(lambda: live.statuses({"beside-a-hanging-api@example.com"}) == {"sent"})
            jobs = "SELECT done_at IS NOT NULL FROM notifications_housekeepingjob WHERE name = 'watch-bounces'"
            eventually(lambda: live.sql(jobs) == [(True,)])
            # One address is tried and given up, and the provider's other addresses wait for the next run.
            tries = "SELECT sum(lift_tries) FROM notifications_suppression WHERE provider = 'sendgrid'"
            assert live.sql(tries)[0][0] < LIFTED
    live.sql("DELETE FROM notifications_suppression WHERE provider = 'sendgrid'")
