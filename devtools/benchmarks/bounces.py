"""How long 500 hard bounces take to be read beside 1,000,000 suppressions, and whether the relay publishes meanwhile.

Starts PostgreSQL and Valkey of its own on free ports and in a fresh folder, and the relay as it is shipped; only its
rounds are shorter, so that several of them fall into the time that is measured. Ends with 0 if the bounces were read
within a second and messages were published in that time.
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
