"""Measure whether the budget holds: rates of 5, 50 and 500 per second with 1, 2 and 6 worker processes, 10 s each.

At 5 and 50 per second everything is real: rows in PostgreSQL, the relay, Celery workers, HTTP calls to a provider that
accepts everything immediately. At 500 per second two cores are too slow for Celery and HTTP, so plain processes with
threads deliver due rows to a provider in memory, with the same budget, claim, hand-over and record. A run counts from
one second after its first call, so that the burst at the start cannot hide a shortfall. Finally, critical messages
arrive while bulk saturates the shipped workers at 50 per second.

Starts PostgreSQL and Valkey on free ports and in a fresh folder. Exits with 0 if no window exceeded its limit, no run
fell short by more than 3 %, and 99 % of the critical messages waited at most 250 ms.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from devtools.stack.postgres import Postgres
from devtools.stack.valkey import Valkey


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as name:
        folder = Path(name)
        postgres = Postgres(folder / "postgres", free_port(), durable=False)
        try:
            with postgres, Valkey(folder / "valkey", free_port(), durable=False) as valkey:
                postgres.create_database()
                environment = surroundings(folder) | {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
                migrate = [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"]
                subprocess.run(migrate, cwd=BASE_DIR, env=environment, check=True)
                command = [sys.executable, "-m", "devtools.benchmarks.budget_runs", str(folder)]
                return subprocess.run(command, cwd=BASE_DIR, env=environment, check=False).returncode
        finally:
            postgres.destroy()


def surroundings(folder: Path) -> dict[str, str]:
    """Return the environment of every process, without the caller's settings. Each run adds its rates."""
    (folder / "env").touch()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "MAILROOM_ENV_FILE": str(folder / "env"),
        "MAILROOM_LOCAL": "1",
        "MAILROOM_ROLE": "manage",
        "SECRET_KEY": "for a benchmark only, and long enough to be accepted by every check",
        "EMAIL_PROVIDERS": "simulator",
        "SIMULATOR_URL": "http://127.0.0.1:1",
        "EMAIL_STREAM_RATES": "",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


if __name__ == "__main__":
    sys.exit(main())
