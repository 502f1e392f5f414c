"""Mailroom's processes and their commands, for the local stack and containers."""

import sys
from dataclasses import dataclass
from pathlib import Path

from config.reading import Environment, Problem
from notifications.rules.servers import LAST_PORT, BadUrlError, bracketed, require_host
from notifications.runtime.roles import Role

# Commands read ports and hosts from the environment (WEB_PORT and so on). No command contains a secret, because every
# user of the machine can read command lines.

# gunicorn's processes, and the threads of each, unless WEB_WORKERS and WEB_THREADS say otherwise.
WEB_WORKERS, WEB_THREADS = 2, 4
# More than any machine can serve, so larger numbers are typing errors.
MOST_WORKERS, MOST_THREADS = 256, 1024
# Connections for management commands: operators and monitoring.
COMMANDS = 3


@dataclass(frozen=True, kw_only=True)
class Process:
    """`command` may contain the {variables} that `command_line` fills in.

    `stop_s`: how long a clean stop may take. `connections`: most connections to the database.
    """

    name: str
    role: Role
    command: tuple[str, ...]
    stop_s: int = 10
    # Whether it touches the file that MAILROOM_HEARTBEAT_FILE names.
    heartbeat: bool = False
    connections: int = 0


def _worker(name: str, threads: int, queues: str) -> Process:
    # Sending is mostly waiting, so a worker is one process with many threads. It stops after the sends in progress.
    return Process(
        name=f"worker-{name}",
        role=Role.WORKER,
        command=(
            *("{python}", "-m", "config.celery_command", "worker", "-n", f"{name}@%h", "-P", "threads"),
            *("-c", str(threads), "-Q", queues, "-E", "--without-gossip", "--without-mingle", "-l", "INFO"),
        ),
        stop_s=90,
        heartbeat=True,
        # A thread holds no connection while it waits for a provider. One more connection is for the heartbeat.
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
    # Reserved slots: critical messages wait only for other critical messages.
    _worker("critical", 8, "critical"),
    # Takes from all queues, in this order each time.
    _worker("main", 16, "critical,default,bulk"),
    # Takes bulk first, so that bulk never starves.
    _worker("bulk", 8, "bulk,default"),
    # Publishing, reading events, the heartbeat.
    Process(name="relay", role=Role.RELAY, command=("{python}", "manage.py", "relay"), heartbeat=True, connections=4),
    Process(
        name="beat",
        role=Role.BEAT,
        command=("{python}", "-m", "config.celery_command", "beat", "-s", "{run}/celerybeat-schedule", "-l", "INFO"),
        heartbeat=True,
        # A thread for each periodic job, what starts them, and the heartbeat. One more is for a job of yours.
        connections=14,
    ),
    Process(
        name="flower",
        role=Role.FLOWER,
        command=(
            *("{python}", "-m", "celery", "-A", "config", "flower", "--address={flower_host}", "--port={flower_port}"),
            *("--read_only=true", "--max_tasks=10000", "--conf=config/flowerconfig.py"),
            # Flower also saves its tasks when it stops. A crash loses the last minute.
            *("--persistent=true", "--db={flower_db}", "--state_save_interval=60000"),
        ),
    ),
)


def web_workers(env: Environment) -> int:
    return env.int("WEB_WORKERS", default=WEB_WORKERS, least=1, most=MOST_WORKERS)


def web_threads(env: Environment) -> int:
    return env.int("WEB_THREADS", default=WEB_THREADS, least=1, most=MOST_THREADS)


def command_line(process: Process, *, run: Path, env: Environment) -> list[str]:
    # `run`: the folder for the process's files.
    files = {"run": str(run), "flower_db": env.filled("FLOWER_DB", default=str(run / "flower-tasks"))}
    return [part.format(python=sys.executable, **files, **_places(env)) for part in process.command]


def pool_size(process: Process, env: Environment) -> int:
    # 0 for a process that does not use the database.
    if not process.connections:
        return 0
    own = web_threads(env) + 1 if process.role is Role.WEB else process.connections
    return env.int("DATABASE_POOL_SIZE", default=own, least=1)


def most_connections(env: Environment) -> int:
    # For one set of all processes and a few commands.
    copies = {Role.WEB: web_workers(env)}
    each = (copies.get(process.role, 1) * pool_size(process, env) for process in PROCESSES)
    return sum(each) + COMMANDS


def configuration_problems(env: Environment) -> list[Problem]:
    # Reads everything that the commands need. With any problem, no process starts.
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
        env.refuse(Problem(name=name, text=f"{name} is not a host.", hint=hint))
        return "127.0.0.1"
