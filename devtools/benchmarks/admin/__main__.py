"""Measure every page of the admin on large tables.

Keeps the filled database in `.local/bench/admin` and uses it again if ROWS, the schema and the filling are the same.
Exits with 0 if no page needs more than 300 ms or 15 queries.
"""

import argparse
import subprocess
import sys

from config.environment import BASE_DIR
from devtools.benchmarks.budget import surroundings
from devtools.stack.ports import free_port
from devtools.stack.postgres import Postgres
from devtools.stack.valkey import Valkey

FOLDER = BASE_DIR / ".local" / "bench" / "admin"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-admin")
    parser.add_argument("--rows", type=int, default=200_000, help="messages in the table")
    parser.add_argument("--rounds", type=int, default=5, help="how often each page is requested")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    postgres = Postgres(FOLDER / "postgres", free_port(), durable=False)
    with postgres, Valkey(FOLDER / "valkey", free_port(), durable=False) as valkey:
        postgres.create_database()
        environment = surroundings(FOLDER) | {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "FLOWER_URL": "http://127.0.0.1:5555",
            "STATIC_ROOT": str(FOLDER / "static"),
        }
        (FOLDER / "static").mkdir(exist_ok=True)
        for command in (
            ["-m", "devtools.benchmarks.admin.fill", str(options.rows), str(FOLDER / "filled")],
            ["-m", "devtools.benchmarks.admin.measure", str(options.rows), str(options.rounds)],
        ):
            done = subprocess.run([sys.executable, *command], cwd=BASE_DIR, env=environment, check=False)
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
