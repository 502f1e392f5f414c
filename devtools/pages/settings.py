"""docs/reference/settings.md, generated from the declarations of the engine and of the site."""

from collections.abc import Iterable
from typing import Any

from config import variables
from notifications import conf
from notifications.providers.registry import PROVIDERS, ProviderSpec

INTRO = """# Settings

Written by `make pages` from `notifications/conf/declarations.py`, each provider's `settings.py` and
`config/variables.py`; do not edit it.

All settings come from the environment, completed by the env file that `MAILROOM_ENV_FILE` names. A variable of the
environment wins over the file. `NAME_FILE` instead of `NAME` names a file that holds the value, for secrets of
containers; a process refuses to start with both.

- **A value is what it is.** No character in it has a meaning, in none of the three places. In an env file, put a
  value in single quotes; a quote inside needs no escape. Lists are separated by commas or, if an item holds a comma,
  by lines.
- **Every setting is tried at the start.** A process refuses one that cannot work, by name and remedy; the value is
  never printed. `manage.py check` shows all of them.
- **Where processes listen**: `python -m config.run` and gunicorn also read `WEB_HOST`, `WEB_PORT`, `WEB_WORKERS`,
  `WEB_THREADS`, `FLOWER_HOST` and `FLOWER_PORT`, which are tried in the same way.
- **Servers**: set a URL, or parts (`REDIS_HOST`, `REDIS_PASSWORD` and so on). In a URL, user and password are
  percent-encoded; in parts any password works. `REDIS_PASSWORD`, `POSTGRES_PASSWORD` and `SMTP_PASSWORD` also
  complete a URL without a password.
- **TLS is always verified**, certificate and host name: `rediss://`, STARTTLS, `smtp+ssl://` and the providers' APIs.
  For an authority of your own, name its certificate in `REDIS_CA_FILE` or `SMTP_CA_FILE`. PostgreSQL's
  `sslmode=require` encrypts without verifying: `POSTGRES_CA_FILE` turns on `verify-full`.
- **`.local/env`**, which `make up` writes, is read by `manage.py` alone, and only where the environment has none of
  `SECRET_KEY`, `DATABASE_URL`, `POSTGRES_HOST`, `REDIS_URL` and `REDIS_HOST`.
"""
ENGINE = """## The engine

A project that installs `notifications` without this site sets these in its own settings module, under the same names.
Each has a default; without `EMAIL_PROVIDERS`, messages are queued and none is sent.
"""
OF_PROVIDERS = """## Each provider

The name in `EMAIL_PROVIDERS` is in brackets. The usual rate holds unless `EMAIL_RATE` names another.
"""
SITE = """## This site
"""


def page() -> str:
    engine, site = map(_section, conf.GROUPS), map(_section, variables.GROUPS)
    return "\n".join([INTRO, ENGINE, *engine, OF_PROVIDERS, *map(_of_provider, PROVIDERS.values()), SITE, *site])


def _section(group: type) -> str:
    return f"### {group.__doc__}\n\n{_table(group)}"


def _of_provider(spec: ProviderSpec) -> str:
    backend = spec.backend()
    title = backend.title[0].upper() + backend.title[1:]
    rate = f"Usual rate: {backend.usual_rate:g} messages per second.\n\n" if backend.usual_rate else ""
    return f"### {title} (`{backend.name}`)\n\n{rate}{_table(spec.settings) if spec.settings else ''}"


def _table(group: type) -> str:
    return "| variable | default | what it is |\n|---|---|---|\n" + "".join(_rows(group))


def _rows(group: type) -> Iterable[str]:
    for setting in conf.declared(group):
        help_text = f" {setting.help_text}" if setting.help_text else ""
        yield f"| `{setting.name}` | {_default(setting)} |{help_text} |\n"


def _default(setting: conf.Setting[Any]) -> str:
    if setting.required:
        return "none"
    return f"`{setting.default}`" if setting.default != "" else "(empty)"
