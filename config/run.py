"""Start one of Mailroom's processes: `python -m config.run NAME`.

The process keeps its files in MAILROOM_RUN_FOLDER (.local by default).
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

from config.environment import BASE_DIR, read
from config.processes import PROCESSES, Process, command_line, configuration_problems, pool_size
from notifications.runtime.startup import refuse_to_start


def main(arguments: list[str]) -> int:
    processes = {process.name: process for process in PROCESSES}
    if len(arguments) == 1 and arguments[0] in processes:
        exec_process(processes[arguments[0]])
    sys.stderr.write(f"usage: python -m config.run {'|'.join(processes)}\n")
    return 2


def exec_process(process: Process) -> NoReturn:
    run = _run_folder()
    environment = {**os.environ, "MAILROOM_ROLE": process.role.value}
    env = read(environment)
    if found := configuration_problems(env):
        refuse_to_start("\n".join(map(str, found)))
    if process.heartbeat:
        environment.setdefault("MAILROOM_HEARTBEAT_FILE", str(run / f"{process.name}.heartbeat"))
    if size := pool_size(process, env):
        environment["DATABASE_POOL_SIZE"] = str(size)
    command = command_line(process, run=run, env=env)
    os.chdir(BASE_DIR)
    os.execve(command[0], command, environment)  # noqa: S606 - replaces this process


def _run_folder() -> Path:
    run = Path(os.environ.get("MAILROOM_RUN_FOLDER") or BASE_DIR / ".local").resolve()
    try:
        run.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError):
        refuse_to_start(
            "MAILROOM_RUN_FOLDER cannot be created. (mailroom.E030) Name a folder that this process may write to."
        )
    return run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
