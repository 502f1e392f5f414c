"""What the embedded servers have in common: real servers from PyPI wheels, on loopback, owned by one account."""

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
    """A server that keeps its data in a folder. Usable as a context manager, or by its `command` under a supervisor."""

    name: str
    stop_signal: signal.Signals

    def __init__(self, folder: Path, port: int, *, durable: bool = True) -> None:
        """`durable=False` trades safety against power loss for speed; meant for tests."""
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
        """The account to run under, or None for one's own."""
        return None

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs for its first start. Doing it again changes nothing."""

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
        """Return once the server answers. Raises ServerError after START_TIMEOUT_S, or when its process ended."""
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

    def destroy(self) -> None:  # noqa: B027 - most keep nothing elsewhere
        """Delete what a stopped server keeps outside of its folder."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def as_user(account: str | None) -> dict[str, Any]:
    """Return subprocess options that run a command under `account`, with no other group, in a folder it can enter."""
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}
