"""Read the configuration from the process's environment and an env file."""

import os
from collections.abc import Mapping
from pathlib import Path

from config.env_file import faults, read_env_file
from config.reading import Environment, Problem
from notifications.conf.declarations import ProcessSettings
from notifications.runtime.roles import Role

# `MAILROOM_ENV_FILE` names the env file; the environment overrides it. NAME_FILE names a file that holds the value of
# NAME, as containers mount secrets. No character in a value is special.

BASE_DIR = Path(__file__).resolve().parent.parent

# A process with one of these in its environment does not read the file that `make up` has written.
CONFIGURED_BY = ("SECRET_KEY", "DATABASE_URL", "POSTGRES_HOST", "REDIS_URL", "REDIS_HOST")
# Variables of earlier releases. A process refuses them, because ignoring them would silently change what it does.
RENAMED = {"FORGET_AFTER_DAYS": "ANONYMIZE_AFTER_DAYS"}


def env_file(environment: Mapping[str, str], folder: Path) -> Path | None:
    # Only `manage.py` in another terminal reads the local stack's file, because it sets MAILROOM_LOCAL. A process that
    # serves users must not read it, even if a developer once ran `make up` in this folder.
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
    hint = "Name an existing file with one NAME=value per line. For a value of several lines use NAME_FILE."
    for fault in faults(file) if file else ():
        found.refuse(Problem(name=name, text=f"{name} {fault}.", hint=hint, id="mailroom.E050"))
    for old, new in RENAMED.items():
        if found.given(old):
            found.refuse(Problem(name=old, text=f"{old} was renamed to {new}.", hint=f"Set {new} instead of {old}."))
    return found


# The file's values are not added to os.environ, because child processes would take them for the caller's.
env = read(os.environ)

# An unknown role is kept here; the system check mailroom.E001 refuses it with an explanation.
ROLE: str = env.read(ProcessSettings.MAILROOM_ROLE)
