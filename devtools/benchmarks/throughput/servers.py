"""PostgreSQL and Valkey of a run, durable as in production, with a fresh database and an empty Valkey each."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import redis
from psycopg import sql

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from devtools.stack.postgres import Postgres
from devtools.stack.server import ServerError
from devtools.stack.valkey import Valkey

RUN_DATABASE = "run"
# Waits up to 5 s for each of them.
END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
WORK = """
    SELECT xact_commit, updates, hot_updates, pg_current_wal_insert_lsn() - '0/0'
    FROM pg_stat_database,
        (SELECT coalesce(sum(n_tup_upd), 0) AS updates, coalesce(sum(n_tup_hot_upd), 0) AS hot_updates
         FROM pg_stat_user_tables) AS tables
    WHERE datname = current_database()
"""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The servers of one run. `held_url`: where tasks are kept until the run starts."""

    postgres: Postgres
    valkey: Valkey

    @property
    def database_url(self) -> str:
        return self.postgres.url_of(RUN_DATABASE)

    @property
    def redis_url(self) -> str:
        return self.valkey.url

    @property
    def held_url(self) -> str:
        return f"{self.valkey.url.removesuffix('/0')}/9"

    @property
    def roots(self) -> dict[str, list[int]]:
        started = {"postgres": self.postgres.process, "valkey": self.valkey.process}
        return {name: [process.pid] if process else [] for name, process in started.items()}

    def release_held(self) -> None:
        """Move each held queue, in one step, to the database that the workers read."""
        with redis.Redis.from_url(self.held_url) as client:
            for key in client.scan_iter(_type="list"):
                client.move(key, 0)

    def work(self) -> dict[str, float]:
        """Return what the servers have done so far: commits, row versions, log and commands."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            found = connection.execute(WORK).fetchone()
        with redis.Redis.from_url(self.redis_url) as client:
            info: dict[str, Any] = client.info("stats")
        names = ("commits", "updates", "hot_updates", "wal_bytes")
        return {**dict(zip(names, map(float, found or ()), strict=True)), "commands": info["total_commands_processed"]}

    def end_sessions(self) -> None:
        """End all sessions of PostgreSQL: an idle one reports what it has done up to 10 s later, or when it ends."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(END_SESSIONS)

    def stored_bytes(self) -> int:
        with psycopg.connect(self.database_url) as connection:
            found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(found[0]) if found else 0

    def checkpoint(self) -> None:
        """Write the pages changed by enqueueing to disk, before the run is measured."""
        with psycopg.connect(self.postgres.url_of("postgres"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")


class Place:
    """The data folder of PostgreSQL, used by one run after another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._migrated: set[str] = set()
        self._postgres = Postgres(folder / "postgres", free_port(), durable=True)

    @contextmanager
    def servers(self, schema: str, migrate: Sequence[str], environment: Mapping[str, str]) -> Iterator[Servers]:
        """Run both servers with a fresh database. `migrate` makes the tables of `schema`, once."""
        with (
            TemporaryDirectory(dir=self._folder) as name,
            self._postgres as postgres,
            Valkey(Path(name), free_port(), durable=True) as valkey,
        ):
            servers = Servers(postgres=postgres, valkey=valkey)
            if schema not in self._migrated:
                self._migrate(schema, migrate, {**environment, "REDIS_URL": servers.redis_url})
            self._recreate(RUN_DATABASE, schema)
            yield servers

    def destroy(self) -> None:
        self._postgres.destroy()

    def _migrate(self, schema: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._recreate(schema, "template1")
        if command:
            environment = {**environment, "DATABASE_URL": self._postgres.url_of(schema)}
            done = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ServerError(f"no tables of {schema}:\n{done.stderr[-1500:]}")
        self._migrated.add(schema)

    def _recreate(self, database: str, template: str) -> None:
        with psycopg.connect(self._postgres.url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template))
            )
