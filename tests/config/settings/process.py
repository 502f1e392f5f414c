"""Run a process with only the settings of a test."""

import os
import subprocess
from pathlib import Path

from config.environment import BASE_DIR
from tests import forked

PRODUCTION = {
    "PATH": os.environ["PATH"],
    "MAILROOM_ENV_FILE": os.devnull,
    "SECRET_KEY": "a-key-for-checking-settings-that-is-long-and-has-letters-and-digits-0123456789",
    "SITE_URL": "https://mail.example.com",
    "ALLOWED_HOSTS": "mail.example.com",
    "EMAIL_PROVIDERS": "ses",
    "SES_REGION": "eu-central-1",
    "DATABASE_URL": "postgres://mailroom@127.0.0.1:1/mailroom",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def run(
    *arguments: str, folder: Path = BASE_DIR, without: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python with a production server's settings, changed by `environment`."""
    given = {name: value for name, value in PRODUCTION.items() if name not in without}
    return forked.run(*arguments, folder=folder, environment=given | environment)
