#!/usr/bin/env python
"""Django's command-line utility for Mailroom."""

import os
import sys

from django.core.management import execute_from_command_line


def refuse_unusable_settings(command: list[str]) -> None:
    # `migrate` and `shell` run no system checks.
    from django.conf import settings  # noqa: PLC0415 - DJANGO_SETTINGS_MODULE is only set by now

    from config import processes  # noqa: PLC0415
    from config.environment import env  # noqa: PLC0415

    settings.INSTALLED_APPS  # noqa: B018 - reads all settings
    if processes.configuration_problems(env) and command not in (["check"], ["help"], ["--help"], ["--version"]):
        sys.exit("\n".join(map(str, env.problems)))


def main() -> None:
    """Run the command. Exit silently with 1 if the reader of its output ends first (`manage.py status | head`)."""
    refuse_unusable_settings(sys.argv[1:2])
    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Otherwise Python flushes at exit and reports the same error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
