"""Child processes that take and answer commands line by line."""

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from config.environment import BASE_DIR

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0
LOG_END = 1500


class ProcessFailedError(RuntimeError):
    """A process ended or did not answer; the text has the end of its log."""


class LineProcess:
    """A child process in a separate session. Its error output goes to `log`, with `talks=False` all of its output."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, *, talks: bool = True
    ) -> None:
        self.log = log
        self._lines: queue.Queue[str] = queue.Queue()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with log.open("ab") as errors:
            self.popen = subprocess.Popen(
                command,
                cwd=BASE_DIR,
                env=kept | dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if talks else errors,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        if talks:
            threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self.popen.pid

    def tell(self, line: str) -> None:
        assert self.popen.stdin is not None  # noqa: S101 - a pipe, see above
        self.popen.stdin.write(f"{line}\n")
        self.popen.stdin.flush()

    def expect(self, word: str, within_s: float = READY_WITHIN_S) -> str:
        """Return the rest of the next line that starts with `word`. Raises ProcessFailedError."""
        until = time.monotonic() + within_s
        while (left := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                line = self._lines.get(timeout=min(left, 0.5))
                if line.startswith(word):
                    return line.removeprefix(word).strip()
                continue
            if self.popen.poll() is not None and self._lines.empty():
                break
        raise self.failed(f"no {word!r}")

    def wait_until(self, happened: Callable[[], bool], problem: str) -> None:
        """Raises ProcessFailedError."""
        give_up_at = time.monotonic() + READY_WITHIN_S
        while not happened():
            if self.popen.poll() is not None or time.monotonic() > give_up_at:
                raise self.failed(problem)
            time.sleep(0.05)

    def failed(self, problem: str) -> ProcessFailedError:
        end = self.log.read_text(errors="replace")[-LOG_END:]
        return ProcessFailedError(f"{' '.join(map(str, self.popen.args))}: {problem}\n{end}")  # type: ignore[arg-type]

    def send_signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def stop(self) -> None:
        """End the process and its descendants."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGCONT)
        self.popen.terminate()
        try:
            self.popen.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.popen.wait()
            for pipe in (self.popen.stdin, self.popen.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def _read(self) -> None:
        assert self.popen.stdout is not None  # noqa: S101 - a pipe, see above
        with suppress(ValueError):
            for line in self.popen.stdout:
                self._lines.put(line.rstrip("\n"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
