"""Where configuration comes from: the process's environment, completed by a file that `make up` writes.

`MAILROOM_ENV_FILE` names another such file. A variable that is set in the environment always wins over the file.
"""

import os
from enum import StrEnum
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent


class Role(StrEnum):
    """What a process is for. It decides how patient the process is with the broker."""

    WEB = "web"
    WORKER = "worker"
    RELAY = "relay"
    BEAT = "beat"
    FLOWER = "flower"
    MANAGE = "manage"


class Environment(environ.Env):  # type: ignore[misc]
    """A copy: what the file says must not look, to this process's children, as if the caller had set it."""

    ENVIRON = dict(os.environ)


env = Environment()
env.read_env(os.environ.get("MAILROOM_ENV_FILE") or BASE_DIR / ".local" / "env")

# An unknown role is kept as it is here and refused by the system check mailroom.E001, which can explain it.
ROLE: str = env.str("MAILROOM_ROLE", default=Role.MANAGE.value)
