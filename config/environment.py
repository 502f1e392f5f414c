"""Where configuration comes from: the process's environment, completed by a file that `make up` writes.

`MAILROOM_ENV_FILE` names another such file. A variable that is set in the environment always wins over the file.
NAME_FILE instead of NAME names a file with the value: secrets of containers.
"""

import os
from collections import ChainMap
from enum import StrEnum
from pathlib import Path

import environ
from environ.fileaware_mapping import FileAwareMapping

BASE_DIR = Path(__file__).resolve().parent.parent


class Role(StrEnum):
    """What a process is for. It decides how patient the process is with the broker."""

    WEB = "web"
    WORKER = "worker"
    RELAY = "relay"
    BEAT = "beat"
    FLOWER = "flower"
    MANAGE = "manage"


class _File(environ.Env):  # type: ignore[misc]
    ENVIRON: dict[str, str] = {}


class _Values(FileAwareMapping):  # type: ignore[misc]
    """NAME_FILE names a file that holds the value of NAME: how containers are given secrets."""

    def __getitem__(self, key: str) -> str:
        return str(super().__getitem__(key)).rstrip("\r\n")


class _Environment(environ.Env):  # type: ignore[misc]
    # Beside os.environ, not in it: to this process's children the file must not look like the caller's own wish.
    ENVIRON = _Values(ChainMap(os.environ, _File.ENVIRON), cache=False)


_File.read_env(os.environ.get("MAILROOM_ENV_FILE") or BASE_DIR / ".local" / "env")
env = _Environment()

# An unknown role is kept as it is here and refused by the system check mailroom.E001, which can explain it.
ROLE: str = env.str("MAILROOM_ROLE", default=Role.MANAGE.value)
