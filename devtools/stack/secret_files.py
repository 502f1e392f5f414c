"""Files that a local stack keeps between starts, readable by their owner only."""

import os
import secrets
from pathlib import Path

from config import env_file

ENV_HEADER = "# Written at every start, for `manage.py` in another terminal. The environment overrides this file.\n"


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically. At no time can anyone but its owner read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def write_env(path: Path, values: dict[str, str]) -> None:
    write_private(path, ENV_HEADER + "".join(env_file.env_line(*item) for item in sorted(values.items())))


def kept_secret(path: Path) -> str:
    """Return the secret in a file that only its owner can read. Create it at the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text().strip()
