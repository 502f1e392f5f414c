"""Start what `make up` starts, on free ports and in a fresh folder; let a crowd in; compare."""

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
from devtools.demo import crowd as people
from devtools.demo.crowd import Crowd
from devtools.demo.report import Figures, complaints, last_line, table
from devtools.demo.verdict import judge
from devtools.stack.facts import epoch
from devtools.stack.ports import free_port
from devtools.stack.server import ServerError
from devtools.stack.stack import Ports, Stack, StackError
from devtools.stack.supervision import Supervisor, SupervisorError
from notifications.runtime.roles import Role

FOLDER = BASE_DIR / ".local" / "demo"
LONGEST_S = 180.0


def main() -> int:
    began = time.monotonic()
    Supervisor(FOLDER).stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    stack = Stack(FOLDER, Ports(web=free_port(), flower=free_port(), simulator=free_port()), os.environ)
    try:
        stack.start(say=_say)
        figures = show(stack, began)
    except (StackError, SupervisorError, ServerError) as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        stack.stop()
        for server in stack.servers:
            server.destroy()
    _say(table(figures))
    missed = list(complaints(figures))
    for sentence in missed:
        _say(f"FAILED: {sentence}")
    _say(last_line(figures))
    return 1 if missed else 0


def show(stack: Stack, began: float) -> Figures:
    crowd = Crowd()
    _say(f"Queueing {people.READERS} bulk messages; with the shipped settings the provider needs 2 s for every mail …")
    people.announce(stack, crowd)
    _say(f"Meanwhile {people.SIGN_UPS} people sign up, {people.RESETS} of them ask for a new password …")
    people.sign_up(stack, crowd)
    _say(f"And {people.OLD_WAY} sign up the old way, where the page waits for the provider …")
    with old_way(stack) as site_url:
        people.sign_up_the_old_way(site_url, crowd)
    _say("Waiting until everything is sent …")
    journal = wait_for(stack, len(crowd.told), began)
    return Figures(
        crowd=crowd,
        verdict=judge(crowd.told, journal),
        waits_s=waits(stack, journal),
        statuses=dict(_sql(stack, "SELECT status, count(*) FROM notifications_message GROUP BY 1")),
        took_s=time.monotonic() - began,
    )


@contextmanager
def old_way(stack: Stack) -> Iterator[str]:
    """Run a second web process with the old sign-up, from the same command and settings."""
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
    raise StackError(f"The old way did not come up; see {FOLDER / 'log' / 'old-way.log'}")


def wait_for(stack: Stack, count: int, began: float) -> list[dict[str, Any]]:
    """Return the provider's journal once it has `count` mails beside the administrator's own, or time is over."""
    while True:
        journal = requests.get(f"{stack.simulator_url}/api/messages", params={"limit": "100000"}, timeout=10).json()
        queued = _sql(stack, "SELECT count(*) FROM notifications_message WHERE status IN ('queued', 'sending')")[0][0]
        if (journal["count"] > count and not queued) or time.monotonic() - began > LONGEST_S:
            return list(journal["messages"])
        time.sleep(0.5)


def waits(stack: Stack, journal: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return, for each stream, the seconds from the commit of each message to the start of its provider call."""
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


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
