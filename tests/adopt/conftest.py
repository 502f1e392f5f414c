"""Builds the wheel and installs it into a virtual environment outside the repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import BASE_DIR

UV = [sys.executable, "-m", "uv"]


def environment_in(folder, version=sys.executable):
    """Make a virtual environment with pip and return its Python."""
    # uv is several times as fast, and keeps what it downloads.
    subprocess.run([*UV, "venv", "--quiet", "--seed", "--python", version, folder], check=True)
    return folder / "bin" / "python"


def python_of(oldest):
    """Return a Python of this version or newer. Skips the test if this machine has none."""
    wanted = tuple(map(int, oldest.split(".")))
    if sys.version_info >= wanted:
        return sys.executable
    # Those of pyenv need not be in the path.
    folders = [*map(Path, os.environ["PATH"].split(os.pathsep)), *(Path.home() / ".pyenv/versions").glob("*/bin")]
    for python in (one for folder in folders for one in sorted(folder.glob("python3.[0-9]*[0-9]"))):
        version = "import sys; print(*sys.version_info[:2])"
        shown = subprocess.run([python, "-c", version], check=False, capture_output=True, text=True).stdout
        if tuple(map(int, shown.split())) >= wanted:
            return python
    return pytest.skip(f"needs Python {oldest} or newer")


def install(python, *what):
    command = [*UV, "pip", "install", "--quiet", "--python", python, *what]
    subprocess.run(command, check=True, cwd=python.parent, capture_output=True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Return the wheel that `make wheel` builds."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", BASE_DIR]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="session")
def adopter(wheel, tmp_path_factory):
    """Return the Python of a project with the wheel installed."""
    python = environment_in(tmp_path_factory.mktemp("adopter") / "venv")
    install(python, wheel, "psycopg[binary]")
    return python
