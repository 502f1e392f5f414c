"""Every process of Mailroom and its command, in one place for the local stack, containers and whoever runs it by hand.

Commands read what differs between places from the environment: WEB_PORT and so on. None holds a secret: a command line
can be read by everybody on the machine.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.environment import Role


@dataclass(frozen=True, kw_only=True)
class Process:
    """`command` may name {variables} of `command_line`. `stop_s` is how long a clean end may take."""

    name: str
    role: Role
    command: tuple[str, ...]
    stop_s: int = 10
    # Touches the file that MAILROOM_HEARTBEAT_FILE names.
    heartbeat: bool = False
    local_only: bool = False


def _worker(name: str, threads: int, queues: str) -> Process:
    """Sending is waiting, so a worker is one process with many threads. It ends only after the sends in flight."""
    return Process(
        name=f"worker-{name}",
        role=Role.WORKER,
        command=(
            *("{python}", "-m", "celery", "-A", "config", "worker", "-n", f"{name}@%h", "-P", "threads"),
            *("-c", str(threads), "-Q", queues, "-E", "--without-gossip", "--without-mingle", "-l", "INFO"),
        ),
        stop_s=90,
        heartbeat=True,
    )


PROCESSES = (
    Process(
        name="web",
        role=Role.WEB,
        command=("{python}", "-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn_conf.py", "-b", "{web_bind}"),
        stop_s=35,
    ),
    # Reserved slots: nothing but critical mail ever waits in front of critical mail.
    _worker("critical", 8, "critical"),
    # Helps everywhere, in this order at every pop.
    _worker("main", 16, "critical,default,bulk"),
    # Bulk first, so that bulk never starves.
    _worker("bulk", 8, "bulk,default"),
    Process(name="relay", role=Role.RELAY, command=("{python}", "manage.py", "relay"), heartbeat=True),
    Process(
        name="beat",
        role=Role.BEAT,
        command=("{python}", "-m", "celery", "-A", "config", "beat", "-s", "{run}/celerybeat-schedule", "-l", "INFO"),
        heartbeat=True,
    ),
    Process(
        name="flower",
        role=Role.FLOWER,
        command=(
            *("{python}", "-m", "celery", "-A", "config", "flower", "--address={flower_host}", "--port={flower_port}"),
            *("--read_only=true", "--max_tasks=10000", "--conf=config/flowerconfig.py"),
        ),
    ),
    Process(
        name="simulator",
        role=Role.MANAGE,
        command=(
            *("{python}", "manage.py", "simulator", "--port", "{simulator_port}", "--folder", "{run}/simulator"),
            *("--webhook-url", "{webhook_url}"),
        ),
        local_only=True,
    ),
)


def command_line(process: Process, *, run: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the command of a process whose files of its own lie in the folder `run`."""
    values = {
        "python": sys.executable,
        "run": str(run),
        "web_bind": f"{environment.get('WEB_HOST', '127.0.0.1')}:{environment.get('WEB_PORT', '8000')}",
        "flower_host": environment.get("FLOWER_HOST", "127.0.0.1"),
        "flower_port": environment.get("FLOWER_PORT", "5555"),
        # The simulator and the site it reports to are on one machine.
        "webhook_url": f"http://127.0.0.1:{environment.get('WEB_PORT', '8000')}/webhooks/",
        "simulator_port": environment.get("SIMULATOR_PORT", "8025"),
    }
    return [part.format(**values) for part in process.command]
