"""The wheel holds the whole engine, and nothing else."""

import subprocess
import zipfile

import pytest

from config.environment import BASE_DIR

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
METADATA = "django_mailroom-"


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as file:
        return {name for name in file.namelist() if not name.endswith("/")}


def test_wheel_has_the_name_of_the_distribution(wheel):
    assert wheel.name.startswith(METADATA)


def test_wheel_holds_every_file_of_the_engine_and_no_other(names):
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "notifications"]
    listed = subprocess.run(command, cwd=BASE_DIR, check=True, capture_output=True, text=True).stdout.split("\n")
    engine = {name for name in listed if name and (BASE_DIR / name).exists()}
    assert {name for name in names if not name.startswith(METADATA)} == engine
    for suffix in (".py", ".html", ".txt", ".css", ".mo"):
        assert any(name.endswith(suffix) for name in engine), suffix


def test_wheel_requires_only_what_the_engine_imports(wheel):
    with zipfile.ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith("/METADATA")]
        required = [line for line in file.read(name).decode().splitlines() if line.startswith("Requires-Dist:")]
    assert any("django-anymail" in line for line in required)
    assert not [line for line in required if "gunicorn" in line or "flower" in line or "valkey" in line]
