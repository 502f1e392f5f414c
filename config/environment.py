"""Read the configuration from the process's environment and an env file."""

import os
from collections.abc import Mapping
from pathlib import Path

from config.env_file import faults, read_env_file
from config.reading import Environment, Problem
from notifications.conf.declarations import ProcessSettings
from notifications.runtime.roles import Role

# `MAILROOM_ENV_FILE` names the env file. A variable of the environment always wins over it. NAME_FILE instead of NAME
# names a file with the value: secrets of containers. No character in a value has a meaning.

BASE_DIR = Path(__file__).resolve().parent.parent

# A process that was given one of these is configured by its environment, not by what `make up` has left here.
CONFIGURED_BY = ("SECRET_KEY", "DATABASE_URL", "POSTGRES_HOST", "REDIS_URL", "REDIS_HOST")
# Variables of earlier releases: ignored without a word, they would change what a process does.
RENAMED = {"FORGET_AFTER_DAYS": "ANONYMIZE_AFTER_DAYS"}


def env_file(environment: Mapping[str, str], folder: Path) -> Path | None:
    # The file of a local stack serves `manage.py` in another terminal only: it makes a process a developer's. A process
    # that serves users must not become one because a developer once ran `make up` in its folder.
    if named := environment.get("MAILROOM_ENV_FILE"):
        return Path(named)
    given = any(environment.get(name) or environment.get(f"{name}_FILE") for name in CONFIGURED_BY)
    local = folder / ".local" / "env"
    manages = environment.get("MAILROOM_ROLE", Role.MANAGE) == Role.MANAGE
    return local if manages and not given and local.exists() else None


def read(environment: Mapping[str, str]) -> Environment:
    file = env_file(environment, BASE_DIR)
    found = Environment(environment, read_env_file(file))
    name = "MAILROOM_ENV_FILE"
    hint = "Name an existing file with one NAME=value a line; put a value of several lines into a file: NAME_FILE."
    for fault in faults(file) if file else ():
        found.refuse(Problem(name=name, text=f"{name} {fault}.", hint=hint, id="mailroom.E050"))
    for old, new in RENAMED.items():
        if found.given(old):
            found.refuse(Problem(name=old, text=f"{old} is called {new} now.", hint=f"Rename it to {new}."))
    return found


# Beside os.environ, not in it: to this process's children the file must not look like the caller's own wish.
env = read(os.environ)

# An unknown role is kept as it is here and refused by the system check mailroom.E001, which can explain it.
ROLE: str = env.read(ProcessSettings.MAILROOM_ROLE)
