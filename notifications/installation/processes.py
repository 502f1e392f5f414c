"""Inspect the running processes, and name the commands that start them."""

import os
from collections.abc import Iterator

from notifications.operations.current import current_status
from notifications.operations.finding import Code
from notifications.providers.base.account import Finding, bad, good, note
from notifications.rules.states import Stream
from notifications.runtime.celery_app import CeleryApp

_TROUBLES = {Code.NO_RELAY, Code.NO_BEAT, Code.STREAM_UNSERVED, Code.PROCESS_SILENT, Code.PROCESS_TROUBLE}
_START = "Start it with the command below."


def inspect_processes() -> Iterator[Finding]:
    status, found = current_status()
    troubles = [finding for finding in found if finding.code in _TROUBLES]
    for trouble in troubles:
        # Email is sent without beat, which does the housekeeping.
        finding = note if trouble.code == Code.NO_BEAT or trouble.of == {"beat"} else bad
        yield finding("processes", trouble.code, str(trouble), _START)
    if status and not troubles:
        running = ", ".join(process.name for process in status.processes)
        yield good("processes", "running", running)


def commands(app: CeleryApp) -> list[str]:
    """Return the commands of this project's processes."""
    streams = [stream.value for stream in (Stream.CRITICAL, Stream.DEFAULT, Stream.BULK)]
    celery = f"celery -A {app.name}"
    if app.is_ours:
        # The project's own package sets it; the engine cannot know it.
        celery = f"DJANGO_SETTINGS_MODULE={os.environ.get('DJANGO_SETTINGS_MODULE', '')} {celery}"
    lines = [
        f"{celery} worker --pool threads --concurrency 8 -Q {','.join(streams)} -n email@%h",
        "python manage.py relay",
        f"{celery} beat",
    ]
    others = [queue for queue in app.queues if queue not in streams]
    if not app.is_ours and others:
        lines.append(f"{celery} worker -Q {','.join(others)}    # the project's other tasks")
    return lines
