"""Every process of Mailroom and its command, in one place for the local stack, containers and whoever runs it by hand.

Commands read what differs between places from the environment: WEB_PORT and so on. None holds a secret: a command line
can be read by everybody on the machine.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.environment import Role

# gunicorn's processes, and the threads of each, unless WEB_WORKERS and WEB_THREADS say otherwise.
WEB_WORKERS, WEB_THREADS = 2, 4
# For people at a terminal and for monitoring.
COMMANDS = 3


@dataclass(frozen=True, kw_only=True)
class Process:
    """`command` may name {variables} of `command_line`. `stop_s` is how long a clean end may take.

    `connections`: to the database at most, from the threads that really hold one.
    """

    name: str
    role: Role
    command: tuple[str, ...]
    stop_s: int = 10
    # Touches the file that MAILROOM_HEARTBEAT_FILE names.
    heartbeat: bool = False
    local_only: bool = False
    connections: int = 0


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
        # A thread has none while it waits for a provider; one more writes the heartbeat.
        connections=threads // 2 + 2,
    )


PROCESSES = (
    Process(
        name="web",
        role=Role.WEB,
        command=("{python}", "-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn_conf.py", "-b", "{web_bind}"),
        stop_s=35,
        connections=WEB_THREADS + 1,
    ),
    # Reserved slots: nothing but critical mail ever waits in front of critical mail.
    _worker("critical", 8, "critical"),
    # Helps everywhere, in this order at every pop.
    _worker("main", 16, "critical,default,bulk"),
    # Bulk first, so that bulk never starves.
    _worker("bulk", 8, "bulk,default"),
    # Publishing, reading events, the heartbeat.
    Process(name="relay", role=Role.RELAY, command=("{python}", "manage.py", "relay"), heartbeat=True, connections=4),
    Process(
        name="beat",
        role=Role.BEAT,
        command=("{python}", "-m", "celery", "-A", "config", "beat", "-s", "{run}/celerybeat-schedule", "-l", "INFO"),
        heartbeat=True,
        # A thread for each periodic job.
        connections=8,
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


def pool_size(process: Process, environment: Mapping[str, str]) -> int:
    """Return how many connections to the database one such process may have; 0 for a process without a pool."""
    if given := environment.get("DATABASE_POOL_SIZE"):
        return int(given) if process.connections else 0
    if process.role is Role.WEB:
        return int(environment.get("WEB_THREADS") or WEB_THREADS) + 1
    return process.connections


def most_connections(environment: Mapping[str, str]) -> int:
    """Return how many connections one set of all processes, and a few commands, may have at the same time."""
    copies = {Role.WEB: int(environment.get("WEB_WORKERS") or WEB_WORKERS)}
    each = (copies.get(process.role, 1) * pool_size(process, environment) for process in PROCESSES)
    return sum(each) + COMMANDS
