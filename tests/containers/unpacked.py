"""Debian's Docker engine, unpacked into a folder, for machines without an engine.

It is PID 1 of separate namespaces, so nothing is installed on the machine, and ending it ends every container. During
builds it shares the machine's network. During the test it has a separate network without access to the outside; bridge,
addresses and port forwarding are real.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.containers import debian
from tests.containers.engine import EngineError, run

PID1 = Path(__file__).with_name("pid1.sh")
PACKAGES = (
    "docker[.]io,docker-cli,docker-compose,docker-buildx,iptables,iproute2,procps,mount,util-linux,ca-certificates"
)
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--cgroup", "--net")
STARTS_WITHIN_S, ENDS_WITHIN_S = 60, 120


class UnpackedEngine:
    makes_bases = True
    build_options: tuple[str, ...] = ("--network", "host")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "engine"
        self.shared = folder / "shared"
        self._pid_file = folder / "engine.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self._mode = ""

    @staticmethod
    def why_not() -> str:
        """Return why no engine can be unpacked on this machine, or ""."""
        if os.geteuid() != 0:
            return "no Docker engine runs, and unpacking one needs root"
        if missing := [name for name in ("unshare", "nsenter", "apt-get") if not shutil.which(name)]:
            return f"no Docker engine runs, and unpacking one needs {missing[0]}"
        if subprocess.run(
            ["unshare", "--mount", "--cgroup", "--net", "true"], check=False, capture_output=True
        ).returncode:
            return "no Docker engine runs, and this machine allows no namespaces"
        return debian.why_not()

    def unpack(self) -> None:
        """Unpack the engine, and the Debian system of the base images, unless they are there."""
        self._end_leftover()
        self.shared.mkdir(parents=True, exist_ok=True)
        jobs = []
        if not (self.root / "usr/sbin/dockerd").exists():
            jobs.append(debian.unpack(self.root, self.folder / "engine.log", PACKAGES, variant="apt"))
        if not (self.shared / "debian.tar").exists():
            jobs.append(debian.unpack(self.shared / "debian.tar", self.folder / "debian.log", variant="minbase"))
        for job in jobs:
            job.finish()

    def wrap(self, command: Sequence[str], folder: Path) -> list[str]:
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        inside = ["env", "-C", self.visible(folder), "HOME=/", path, *command]
        return ["nsenter", "-t", str(self._inner()), *NAMESPACES, "--root", "--", *inside]

    def visible(self, path: Path) -> str:
        return str(Path("/shared") / path.relative_to(self.shared))

    def beside(self, command: Sequence[str]) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._inner()}/ns/net", *command]

    def start_for_building(self) -> None:
        self._start("build")

    def start_for_running(self) -> None:
        self._start("run")

    def cut_power(self) -> bool:
        os.kill(self._inner(), signal.SIGKILL)
        self._wait(ENDS_WITHIN_S)
        self._start("run")
        return True

    def end(self) -> None:
        # The engine stops its containers first.
        if self._process is None or self._process.poll() is not None:
            return
        os.kill(self._inner(), signal.SIGTERM)
        try:
            self._wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self, mode: str) -> None:
        if self._mode == mode and self._process and self._process.poll() is None:
            return
        self.end()
        network = ["--net"] if mode == "run" else []
        command = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--cgroup", *network, "--fork", "--kill-child"]
        with (self.folder / f"dockerd-{mode}.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["nice", "-n", "10", *command, "bash", str(PID1), str(self.root), mode, str(self.shared)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._mode = mode
        self._pid_file.write_text(str(self._process.pid))
        self._wait_until_it_answers()

    def _end_leftover(self) -> None:
        # Of a run that was killed. Two engines cannot share a folder.
        pid = int(self._pid_file.read_text()) if self._pid_file.exists() else 0
        if self._is_engine(pid):
            os.kill(pid, signal.SIGKILL)
        while self._is_engine(pid):
            time.sleep(0.1)
        self._pid_file.unlink(missing_ok=True)

    def _is_engine(self, pid: int) -> bool:
        # Another process may have the process id by now.
        try:
            return str(self.root) in Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        except OSError:
            return False

    def _wait_until_it_answers(self) -> None:
        give_up_at = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                run(self, "docker", "version")
            except EngineError:
                if time.monotonic() > give_up_at:
                    log = (self.folder / f"dockerd-{self._mode}.log").read_text(errors="replace")
                    raise EngineError("the engine did not start:\n" + log[-1500:]) from None
                time.sleep(0.3)
            else:
                return

    def _inner(self) -> int:
        """Return the process id of the engine, a child of `unshare`. Raises EngineError."""
        if self._process is None:
            raise EngineError("the engine was not started")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        pids = children.read_text().split() if children.exists() else []
        if not pids:
            raise EngineError("the engine has ended")
        return int(pids[0])

    def _wait(self, timeout_s: float) -> None:
        if self._process:
            self._process.wait(timeout_s)
