"""Install the peers from their registries into a separate environment, `.local/bench/`."""

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from config.environment import BASE_DIR
from devtools.stack.console import say

FOLDER = BASE_DIR / ".local" / "bench"
PINS = Path(__file__).with_name("peers.toml")
STAMP = "installed"


class InstallError(RuntimeError):
    """A registry or a tool refused; the text has its last lines."""


def python() -> Path:
    """Return the interpreter of the Python peers, installed if it is not yet."""
    pins = tomllib.loads(PINS.read_text())
    wanted = [*pins["python"], *(f"{name}=={version(name)}" for name in pins["shared"])]
    folder = FOLDER / "python"
    if _is_stale(folder, wanted):
        say(f"Installing {', '.join(pins['python'])} …")
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        _run([*pip, "install", *wanted], folder)
        _stamp(folder, wanted)
    return folder / "bin" / "python"


def node() -> Path | None:
    """Install the Node peers if necessary; return their folder, None without Node and npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    pins: dict[str, str] = tomllib.loads(PINS.read_text())["node"]
    folder = FOLDER / "node"
    if _is_stale(folder, pins):
        say(f"Installing {', '.join(f'{name} {pin}' for name, pin in pins.items())} …")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        package = {"name": "mailroom-bench", "private": True, "type": "module", "dependencies": pins}
        (folder / "package.json").write_text(json.dumps(package))
        _run([npm, "install", "--no-audit", "--no-fund", "--loglevel=error"], folder)
        _stamp(folder, pins)
    # A module finds its packages next to itself.
    for script in Path(__file__).with_name("peers").glob("*.js"):
        shutil.copy(script, folder / script.name)
    return folder


def versions() -> dict[str, Any]:
    pins = tomllib.loads(PINS.read_text())
    shared = {name: version(name) for name in pins["shared"]}
    return {"python": sys.version.split()[0], "peers": pins["python"], "node": pins["node"], "shared": shared}


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise InstallError((done.stderr or done.stdout)[-1500:])


def _stamp(folder: Path, pins: Sequence[str] | Mapping[str, str]) -> None:
    (folder / STAMP).write_text(_digest(pins))


def _is_stale(folder: Path, pins: Sequence[str] | Mapping[str, str]) -> bool:
    return not (folder / STAMP).exists() or (folder / STAMP).read_text() != _digest(pins)


def _digest(pins: Sequence[str] | Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(pins, sort_keys=True).encode()).hexdigest()
