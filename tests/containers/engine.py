"""A container engine: the one on this machine, or one that is unpacked for the test."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

NICE = ("nice", "-n", "10")


class EngineError(RuntimeError):
    """A command of the engine failed; the text is the end of its output."""


class Engine(Protocol):
    """Runs commands in or next to an engine. Folders under `shared` are visible to it."""

    shared: Path
    # The base images are built here, without a registry.
    makes_bases: bool
    # Options that a build needs to reach package mirrors.
    build_options: tuple[str, ...]

    def wrap(self, command: Sequence[str], folder: Path) -> list[str]:
        """Return the command line that runs `command` next to the engine, in `folder`."""

    def visible(self, path: Path) -> str:
        """Return the engine's path for a path under `shared`."""

    def beside(self, command: Sequence[str]) -> list[str]:
        """Return the command line that runs `command` on this machine, in the engine's network."""

    def start_for_building(self) -> None: ...

    def start_for_running(self) -> None: ...

    def cut_power(self) -> bool:
        """Kill the engine with all containers and start it again. Return False if that is not possible."""

    def end(self) -> None: ...


class RunningEngine:
    """The Docker engine of this machine, with its images and registry."""

    makes_bases = False
    build_options: tuple[str, ...] = ()

    def __init__(self, shared: Path) -> None:
        self.shared = shared

    @staticmethod
    def is_there() -> bool:
        try:
            for question in (
                ["docker", "version", "--format", "{{.Server.Version}}"],
                ["docker", "compose", "version"],
            ):
                subprocess.run(question, check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError):
            return False
        return True

    def wrap(self, command: Sequence[str], folder: Path) -> list[str]:
        return ["env", "-C", str(folder), *command]

    def visible(self, path: Path) -> str:
        return str(path)

    def beside(self, command: Sequence[str]) -> list[str]:
        return list(command)

    def start_for_building(self) -> None:
        pass

    def start_for_running(self) -> None:
        pass

    def cut_power(self) -> bool:
        return False

    def end(self) -> None:
        pass


def run(
    engine: Engine,
    *command: str,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    timeout_s: float = 600,
) -> str:
    """Run a command next to the engine and return its output. Raises EngineError."""
    done = subprocess.run(
        [*NICE, *engine.wrap(command, folder or engine.shared)],
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        words = (done.stdout + done.stderr).strip().splitlines()[-30:]
        raise EngineError("\n".join([f"{' '.join(command[:4])} … ended with {done.returncode}:", *words]))
    return done.stdout
