"""Run Celery's worker or beat: `python -m config.celery_command worker -Q critical`.

`python -m celery` also imports an interactive shell and Flower: 11 MB for each process.
"""

import sys
from importlib import import_module

from celery.bin.base import CLIContext

from config import celery_app

COMMANDS = ("worker", "beat")


def main(arguments: list[str]) -> int:
    name, *options = arguments or [""]
    if name not in COMMANDS:
        sys.stderr.write(f"usage: python -m config.celery_command {'|'.join(COMMANDS)}\n")
        return 2
    command = getattr(import_module(f"celery.bin.{name}"), name)
    context = CLIContext(app=celery_app, no_color=False, workdir=None)
    # Ends the process.
    command.main(options, prog_name=f"celery {name}", obj=context)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
