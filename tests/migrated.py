"""PostgreSQL's data with all migrations applied: made by the first run with these migrations, then copied.

Each process of a run has a separate server, and would spend many seconds on initdb and migrations.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from devtools.stack.postgres import Postgres

DATABASE = "mailroom"
PROJECT = Path(__file__).parents[1]
KEPT = PROJECT / ".local/tests"
# What the data depends on.
SOURCES = (
    *("*/migrations/*.py", "*/models/*.py", "*/models.py", "*/apps.py", "config/settings.py"),
    *("requirements-dev.txt", "devtools/stack/postgres.py", "tests/migrated.py"),
)


def prepare(server: Postgres) -> None:
    """Give a server that has never started the migrated data."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = KEPT / _digest()
        if kept.exists():
            server.folder.mkdir(parents=True, exist_ok=True)
            server.place.mkdir(parents=True, exist_ok=True)
            _copy(kept / "password", server.password_file)
            _copy(kept / "data", server.data)
        else:
            _migrate(server)
            _keep(server, kept)


def _digest() -> str:
    digest = sha256()
    for path in _sources():
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for pattern in SOURCES:
        yield from sorted(PROJECT.glob(pattern))


def _migrate(server: Postgres) -> None:
    with server:
        server.create_database()
        environment = {**os.environ, "DATABASE_URL": server.url_of(DATABASE), "REDIS_URL": "redis://127.0.0.1:1/0"}
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True)


def _keep(server: Postgres, kept: Path) -> None:
    """Keep the data of a stopped server in place of those of other migrations."""
    for old in KEPT.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
    new = KEPT / "new"
    new.mkdir()
    _copy(server.password_file, new / "password")
    _copy(server.data, new / "data")
    new.rename(kept)


def _copy(source: Path, target: Path) -> None:
    # With owners, as root's server runs under another account.
    command = ["cp", "-a", str(source), str(target)]
    subprocess.run(command, check=True)
