"""Runs Python in a fork of a process that has imported the libraries.

A new process needs a second of CPU, most of it for imports. No module of this project is imported before the fork, so
each run reads the settings that it is given.
"""

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

LIBRARIES = [
    *("django.core.management.commands.check", "django.core.wsgi", "django.db.backends.postgresql.base"),
    *("celery.bin.celery", "celery.apps.worker", "celery.apps.beat", "kombu.transport.redis", "psycopg_pool"),
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "whitenoise.middleware", "limits.storage", "email_validator"),
    *("requests", "cryptography.x509", "anymail.backends.amazon_ses"),
    *("tornado.httpserver", "tornado.httpclient", "tornado.web", "aiosmtpd.smtp"),
]
OURS = {"accounts", "config", "devtools", "notifications"}
PATIENCE_S = 110

_forkserver = get_context("forkserver")
_forkserver.set_forkserver_preload(LIBRARIES)


def run(
    *arguments: str, folder: Path, environment: Mapping[str, str], check: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run Python with `arguments` (a script, `-m MODULE` or `-c CODE`, and its arguments) until it ends."""
    with TemporaryDirectory() as outputs:
        files = Path(outputs, "stdout"), Path(outputs, "stderr")
        process = start(*arguments, folder=folder, environment=environment, outputs=files)
        process.join(PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, PATIENCE_S)
        done = subprocess.CompletedProcess(
            arguments, process.exitcode, *(file.read_text(encoding="utf-8", errors="replace") for file in files)
        )
    if check:
        done.check_returncode()
    return done


def start(
    *arguments: str, folder: Path, environment: Mapping[str, str], outputs: tuple[Path, Path]
) -> ForkServerProcess:
    """Start Python with `arguments`; append its two outputs to these files."""
    # Plain text: to unpickle a Role, the fork would import this project.
    given, settings = tuple(map(str, arguments)), {name: str(value) for name, value in environment.items()}
    process = _forkserver.Process(target=_become, args=(given, folder, settings, outputs))
    process.start()
    return process


def _become(arguments: tuple[str, ...], folder: Path, environment: dict[str, str], outputs: tuple[Path, Path]) -> None:
    for output, descriptor in zip(outputs, (1, 2), strict=True):
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    assert not OURS & sys.modules.keys(), "imported before its settings were given"
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    match arguments:
        case "-c", code, *rest:
            sys.argv = ["-c", *rest]
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as `python -c` does
        case "-m", module, *rest:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case _:
            sys.argv = list(arguments)
            runpy.run_path(arguments[0], run_name="__main__")
