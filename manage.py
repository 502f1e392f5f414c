#!/usr/bin/env python
"""Django's command-line utility for Mailroom."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command. If its reader has seen enough (`manage.py status | head`), it ends with 1 and without a word."""
    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what is left once more when it ends, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
