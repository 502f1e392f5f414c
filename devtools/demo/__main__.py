"""Start a stack, send the workload, check the result."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import requests

from config.environment import BASE_DIR
from config.processes import PROCESSES, command_line
from config.reading import Environment
from devtools.chaos.checker import judge, promised
from devtools.demo import workload
from devtools.demo.report import DemoFigures, delays, failures, last_line, table
from devtools.stack.console import say
from devtools.stack.facts import epoch
from devtools.stack.ports import free_port
from devtools.stack.server import ServerError
from devtools.stack.simulated import Simulated
from devtools.stack.stack import ADMIN_ADDRESS, Ports, Stack, StackError
from devtools.stack.supervision import Supervisor, SupervisorError
from notifications.runtime.roles import Role

FOLDER = BASE_DIR / ".local" / "demo"
#: After this long, what is not sent counts as lost.
GIVE_UP_S = 900.0


def main() -> int:
    began = time.monotonic()
    Supervisor(FOLDER).stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    stack = Stack(FOLDER, Ports(web=free_port(), flower=free_port(), simulator=free_port()), os.environ)
    try:
        with stack.running(say):
            figures = measure(stack, began)
    except (StackError, SupervisorError, ServerError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    say(table(figures))
    for sentence in delays(figures):
        say(f"SLOW (the machine may be slow or busy): {sentence}")
    failed = list(failures(figures))
    for sentence in failed:
        say(f"FAILED: {sentence}")
    say(last_line(figures))
    return 1 if failed else 0


def measure(stack: Stack, began: float) -> DemoFigures:
    log = FOLDER / "clients.jsonl"
    say(f"Enqueueing {workload.READERS} bulk messages. The simulated provider takes 2 s for each email …")
    announced = workload.announce(stack)
    say(f"Meanwhile {workload.SIGN_UPS} people sign up, {workload.RESETS} of them reset their password …")
    queued = workload.sign_up(stack.site_url, log)
    say(f"For comparison, {workload.INLINE} people sign up on a page that waits for the provider …")
    with old_way(stack) as site_url:
        inline = workload.sign_up_inline(site_url, log)
    say("Waiting until everything is sent …")
    acknowledged = announced | {one.fact for one in promised([*queued, *inline])}
    journal = wait_for(stack, len(acknowledged), began)
    return DemoFigures(
        queued=queued,
        inline=inline,
        verdict=judge(acknowledged, journal, {}),
        waits_s=waits(stack, journal),
        statuses=dict(_sql(stack, "SELECT status, count(*) FROM notifications_message GROUP BY 1")),
        took_s=time.monotonic() - began,
    )


@contextmanager
def old_way(stack: Stack) -> Iterator[str]:
    # A second web process with the inline sign-up, with the same command and settings.
    port = free_port()
    environment = stack.environment | {
        "WEB_PORT": str(port),
        "MAILROOM_ROLE": Role.WEB.value,
        "DJANGO_SETTINGS_MODULE": "devtools.demo.old_settings",
    }
    web = next(process for process in PROCESSES if process.role is Role.WEB)
    command = command_line(web, run=FOLDER, env=Environment(environment))
    site_url = f"http://127.0.0.1:{port}"
    with (
        (FOLDER / "log" / "old-way.log").open("wb") as log,
        subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_for_page(f"{site_url}/sign-up/", process)
            yield site_url
        finally:
            process.terminate()


def _wait_for_page(url: str, process: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise StackError(f"The inline site did not start; see {FOLDER / 'log' / 'old-way.log'}")


def wait_for(stack: Stack, count: int, began: float) -> list[dict[str, Any]]:
    """Return the journal, oldest first, once it has `count` emails or after GIVE_UP_S.

    Emails to the administrator do not count.
    """
    simulated = Simulated(stack.simulator_url, stack.folder / "simulator")
    while True:
        journal = [entry for entry in reversed(simulated.messages()) if entry["to"] != ADMIN_ADDRESS]
        queued = _sql(stack, "SELECT count(*) FROM notifications_message WHERE status IN ('queued', 'sending')")[0][0]
        if (len(journal) >= count and not queued) or time.monotonic() - began > GIVE_UP_S:
            return journal
        time.sleep(0.5)


def waits(stack: Stack, journal: list[dict[str, Any]]) -> dict[str, list[float]]:
    # Seconds from the commit of each message to the start of its provider call, by stream.
    rows = _sql(stack, "SELECT id::text, stream, extract(epoch FROM created_at)::float FROM notifications_message")
    written = {message_id: (stream, created) for message_id, stream, created in rows}
    found: dict[str, list[float]] = {"critical": [], "default": [], "bulk": []}
    for entry in journal:
        message_id = entry["metadata"].get("mailroom_message_id")
        if message_id in written:
            stream, created = written[message_id]
            found[stream].append(epoch(entry["request_started_at"]) - created)
    return found


def _sql(stack: Stack, query: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        return connection.execute(query).fetchall()


if __name__ == "__main__":
    sys.exit(main())
