"""Measure how long 500 hard bounces take with 1,000,000 suppressions.

Also checks that the relay publishes meanwhile. Starts PostgreSQL, Valkey and the relay on free ports and in a fresh
folder. The relay's rounds are shorter than shipped, so that several fall into the measured time. Exits with 0 if the
bounces were processed within a second and messages were published in that time.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from config.environment import BASE_DIR
from devtools.benchmarks.budget import surroundings
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
                environment = surroundings(folder) | {
                    "DATABASE_URL": postgres.url,
                    "REDIS_URL": valkey.url,
                    "RELAY_INTERVAL_S": "0.1",
                }
                migrate = [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"]
                subprocess.run(migrate, cwd=BASE_DIR, env=environment, check=True)
                command = [sys.executable, "-m", "devtools.benchmarks.bounces_run", str(folder)]
                return subprocess.run(command, cwd=BASE_DIR, env=environment, check=False).returncode
        finally:
            postgres.destroy()


if __name__ == "__main__":
    sys.exit(main())
