"""Every process of Mailroom and its command, for the local stack and containers."""

import sys
from dataclasses import dataclass
from pathlib import Path

from config.reading import Environment, Problem
from notifications.rules.servers import LAST_PORT, BadUrlError, bracketed, require_host
from notifications.runtime.roles import Role

# Commands read what differs between places from the environment: WEB_PORT and so on. None holds a secret: every user of
# the machine can read a command line.

# gunicorn's processes, and the threads of each, unless WEB_WORKERS and WEB_THREADS say otherwise.
WEB_WORKERS, WEB_THREADS = 2, 4
# Far beyond what a machine can serve: a slip, not a wish.
MOST_WORKERS, MOST_THREADS = 256, 1024
# For people at a terminal and for monitoring.
COMMANDS = 3


@dataclass(frozen=True, kw_only=True)
class Process:
    """`command` may name {variables} of `command_line`.

    `stop_s` is how long a clean end may take. `connections`: the most to the database, from the threads that hold one.
    """

    name: str
    role: Role
    command: tuple[str, ...]
    stop_s: int = 10
    # Touches the file that MAILROOM_HEARTBEAT_FILE names.
    heartbeat: bool = False
    connections: int = 0


def _worker(name: str, threads: int, queues: str) -> Process:
    # Sending is waiting, so a worker is one process with many threads. It ends only after the current sends.
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
)


def web_workers(env: Environment) -> int:
    return env.int("WEB_WORKERS", default=WEB_WORKERS, least=1, most=MOST_WORKERS)


def web_threads(env: Environment) -> int:
    return env.int("WEB_THREADS", default=WEB_THREADS, least=1, most=MOST_THREADS)


def command_line(process: Process, *, run: Path, env: Environment) -> list[str]:
    # The process's files lie in the folder `run`.
    return [part.format(python=sys.executable, run=run, **_places(env)) for part in process.command]


def pool_size(process: Process, env: Environment) -> int:
    # To the database; 0 for a process without a pool.
    if not process.connections:
        return 0
    own = web_threads(env) + 1 if process.role is Role.WEB else process.connections
    return env.int("DATABASE_POOL_SIZE", default=own, least=1)


def most_connections(env: Environment) -> int:
    # One set of all processes, and a few commands, at the same time.
    copies = {Role.WEB: web_workers(env)}
    each = (copies.get(process.role, 1) * pool_size(process, env) for process in PROCESSES)
    return sum(each) + COMMANDS


def configuration_problems(env: Environment) -> list[Problem]:
    # Each problem prevents every process from starting. All that the commands need is read before.
    _places(env)
    most_connections(env)
    return env.problems


def _places(env: Environment) -> dict[str, str]:
    return {
        "web_bind": f"{bracketed(_host(env, 'WEB_HOST'))}:{_port(env, 'WEB_PORT', 8000)}",
        "flower_host": _host(env, "FLOWER_HOST"),
        "flower_port": _port(env, "FLOWER_PORT", 5555),
    }


def _port(env: Environment, name: str, default: int) -> str:
    return str(env.int(name, default=default, least=1, most=LAST_PORT))


def _host(env: Environment, name: str) -> str:
    host = env.filled(name, default="127.0.0.1").removeprefix("[").removesuffix("]")
    try:
        return require_host(host)
    except BadUrlError:
        hint = f"Set {name} to an address of this machine, like 127.0.0.1 or 0.0.0.0, without a port."
        env.refuse(Problem(name=name, text=f"{name} is no host.", hint=hint))
        return "127.0.0.1"
