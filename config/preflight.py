"""List the required settings that are missing, all of them together: `python -I -S config/preflight.py`.

Compose runs it before everything else and passes only whether a value is there, so it sees no secret.
"""

import os
import sys
from collections.abc import Mapping

REQUIRED = {
    "SECRET_KEY": "signs sessions and links; at least 50 random characters",
    "POSTGRES_PASSWORD": "of the database's user mailroom",
    "REDIS_PASSWORD": "of the broker",
    "FLOWER_BASIC_AUTH": "user:password for Flower's pages",
    "SITE_URL": "where links in email point to, like https://mail.example.com",
    "ALLOWED_HOSTS": "the host names the site answers to, like mail.example.com",
    "DEFAULT_FROM_EMAIL": "the sender, like Shop <hello@example.com>",
    "EMAIL_PROVIDERS": "ses, sendgrid, postmark or smtp",
}


def missing(environment: Mapping[str, str]) -> list[str]:
    return [name for name in REQUIRED if not environment.get(name)]


def main() -> int:
    names = missing(os.environ)
    for name in names:
        sys.stderr.write(f"{name} is not set: {REQUIRED[name]}.\n")
    if names:
        sys.stderr.write("Set them in .env (see .env.example); a secret can be a file that NAME_FILE names.\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
