"""supervisord, from PyPI: starts the processes, restarts those that die, stops them in order."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from config.environment import BASE_DIR
from devtools.stack.orphans import MARK, end_orphans

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 120.0


class SupervisorError(RuntimeError):
    """supervisord refused or failed a request; the text says which."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A process for supervisord. The lowest `priority` starts first and stops last."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    directory: Path = BASE_DIR
    stop_signal: str = "TERM"
    stop_s: int = 10
    priority: int = 100


def section(program: Program, log_folder: Path) -> str:
    # supervisord expands % and splits commands like a shell.
    environment = ",".join(f"{name}={_quoted(value)}" for name, value in sorted(program.environment.items()))
    lines = {
        "command": _percent(shlex.join(program.command)),
        "directory": _percent(str(program.directory)),
        "environment": environment,
        "autostart": "false",
        "autorestart": "true",
        "startsecs": "2",
        "startretries": "5",
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_s),
        "priority": str(program.priority),
        "redirect_stderr": "true",
        "stdout_logfile": _percent(str(log_folder / f"{program.name}.log")),
        "stdout_logfile_maxbytes": "5MB",
        "stdout_logfile_backups": "1",
    }
    if program.user:
        lines["user"] = program.user
    body = "".join(f"{name}={value}\n" for name, value in lines.items() if value)
    return f"[program:{program.name}]\n{body}\n"


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(value: str) -> str:
    return '"' + _percent(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


class Supervisor:
    """One supervisord and its programs, in a folder. Its socket is elsewhere, because a socket's path must be short."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.log_folder = folder / "log"
        self.pid_file = folder / "supervisord.pid"
        self.socket_note = folder / "supervisord.socket"
        # None in a process that did not start it; such a process stops it by its process id.
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> str:
        return self.socket_note.read_text() if self.socket_note.exists() else ""

    def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of supervisord's XML-RPC interface. Raises SupervisorError."""
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport, allow_none=True) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except (OSError, xmlrpc.client.Error) as error:
                raise SupervisorError(f"supervisord refuses {method}{arguments}: {error}") from error

    def running(self) -> bool:
        # The process id alone proves nothing: another process may have it by now.
        if not self.socket:
            return False
        try:
            return bool(self.ask("getState"))
        except SupervisorError:
            return False

    def start(self, programs: list[Program], environment: Mapping[str, str]) -> None:
        """Start supervisord without any of its programs. Raises SupervisorError."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        socket_folder = tempfile.mkdtemp(prefix="mailroom-")
        self.socket_note.write_text(f"{socket_folder}/s")
        config = self.folder / "supervisord.conf"
        config.touch(mode=0o600)
        config.write_text(self._config(programs))
        process = self.process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)],
            env={**environment, MARK: str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C then reaches only the command that started the stack, which stops supervisord in order.
            start_new_session=True,
        )
        give_up_at = time.monotonic() + START_TIMEOUT_S
        while not self.running():
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise SupervisorError(f"supervisord did not start; see {self.log_folder / 'supervisord.log'}")
            time.sleep(0.05)

    def _config(self, programs: list[Program]) -> str:
        log = _percent(str(self.log_folder / "supervisord.log"))
        return (
            f"[supervisord]\nlogfile={log}\nlogfile_maxbytes=5MB\nlogfile_backups=1\n"
            f"pidfile={_percent(str(self.pid_file))}\nchildlogdir={_percent(str(self.log_folder))}\n"
            + ("user=root\n" if os.geteuid() == 0 else "")
            + f"\n[unix_http_server]\nfile={self.socket}\nchmod=0700\n\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\n"
            + "".join(section(program, self.log_folder) for program in programs)
        )

    def start_program(self, name: str) -> None:
        """Start one program without waiting for it. Raises SupervisorError."""
        self.ask("startProcess", name, False)

    def stop_program(self, name: str) -> None:
        # Waits until it has ended.
        self.ask("stopProcess", name)

    def pid(self, name: str) -> int:
        """Return the id of a program's process, or 0 if it is not running. Raises SupervisorError."""
        return int(self.ask("getProcessInfo", name)["pid"])

    def state(self, name: str) -> str:
        """Return RUNNING, FATAL or another state of supervisord's. Raises SupervisorError."""
        return str(self.ask("getProcessInfo", name)["statename"])

    def stop(self) -> int:
        """Stop all programs, then supervisord. Return how many processes a crash had orphaned."""
        if self.running():
            supervisord = psutil.Process(self.ask("getPID"))
            supervisord.terminate()
            _wait_until_gone(supervisord)
        if self.process is not None:
            self.process.wait()
        orphans = end_orphans(self.folder)
        if self.socket:
            shutil.rmtree(Path(self.socket).parent, ignore_errors=True)
            self.socket_note.unlink(missing_ok=True)
        return orphans


def _wait_until_gone(supervisord: psutil.Process) -> None:
    try:
        supervisord.wait(STOP_TIMEOUT_S)
    except psutil.TimeoutExpired:
        raise SupervisorError(f"supervisord ({supervisord.pid}) did not end within {STOP_TIMEOUT_S:.0f} s") from None
