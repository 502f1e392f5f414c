"""Builds the wheel and installs it into a virtual environment outside the repository."""

import subprocess
import sys

import pytest

from config.environment import BASE_DIR


def environment_in(folder):
    """Make a virtual environment with pip and return its Python."""
    # uv is several times as fast, and keeps what it downloads.
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--seed", folder], check=True)
    return folder / "bin" / "python"


def install(python, *what):
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *what]
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
