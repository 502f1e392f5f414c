"""The base of the embedded servers: real servers from PyPI wheels, on loopback."""

import pwd
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0


class ServerError(RuntimeError):
    """A server did not start; the text has the end of its log."""


class Server(ABC):
    """A server that keeps its data in a folder. Use it as a context manager, or run its `command` in a supervisor."""

    name: str
    stop_signal: signal.Signals

    def __init__(self, folder: Path, port: int, *, durable: bool = True) -> None:
        # `durable=False` is faster and loses data in a power cut. For tests.
        self.folder = folder.absolute()
        self.port = port
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def command(self) -> list[str]: ...

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def owner(self) -> str | None:
        """The account to run under, or None for the current one."""
        return None

    @abstractmethod
    def prepare(self) -> None:
        """Create the files that the server needs. Idempotent."""

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        self.prepare()
        log = self.folder / f"{self.name}.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **as_user(self.owner),
            )
        try:
            self.wait_ready()
        except ServerError as error:
            raise ServerError(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from None

    def wait_ready(self) -> None:
        """Wait until the server answers. Raises ServerError after START_TIMEOUT_S, or if its process ends."""
        give_up_at = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if self.process is not None and self.process.poll() is not None:
                raise ServerError(f"{self.name} ended with code {self.process.returncode} while starting.")
            if time.monotonic() > give_up_at:
                self.stop()
                raise ServerError(f"{self.name} did not answer on port {self.port} within {START_TIMEOUT_S:.0f} s.")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def destroy(self) -> None:  # noqa: B027 - most have nothing outside of their folder
        """Delete the files of a stopped server outside of its folder."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def as_user(account: str | None) -> dict[str, Any]:
    """Return the subprocess options to run a command under `account`."""
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}
