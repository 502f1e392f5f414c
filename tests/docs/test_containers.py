"""docker-compose.yml and Dockerfile, as far as they can be tried without a container engine."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from ruamel.yaml import YAML

from config.environment import BASE_DIR
from config.local.ports import free_port
from config.processes import PROCESSES
from tests.live.running import eventually

COMPOSE = YAML(typ="safe").load(BASE_DIR / "docker-compose.yml")
SERVICES = COMPOSE["services"]
OURS = {process.name: process for process in PROCESSES if not process.local_only}
DOCKERFILE = (BASE_DIR / "Dockerfile").read_text().replace("\\\n", " ")


def test_compose_file_follows_the_specification():
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_process_is_a_service():
    assert set(SERVICES) == set(OURS) | {"postgres", "redis", "migrate", "mailpit"}
    for name in OURS:
        assert SERVICES[name]["command"] == [name]


@pytest.mark.parametrize("name", OURS)
def test_service_is_given_time_to_end_and_is_held_tight(name):
    service = SERVICES[name]
    assert int(service["stop_grace_period"].removesuffix("s")) > OURS[name].stop_s
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["deploy"]["resources"]["limits"]


@pytest.mark.parametrize(
    "name", [name for name, process in OURS.items() if process.heartbeat or name in {"web", "flower"}]
)
def test_probe_asks_for_its_own_process(name):
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "config.health", name]


def test_images_are_pinned():
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.search(r":v?\d+\.\d+(\.\d+)?", image) for image in images)


def test_only_the_site_is_reachable_from_outside():
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert name == "web" or port.startswith("127.0.0.1:")


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A clean folder with what the Dockerfile copies and runs, except that the suite's packages stand for pip's."""
    folder = tmp_path_factory.mktemp("image") / "app"
    folder.mkdir()
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.MULTILINE):
        if (BASE_DIR / source).is_dir():
            shutil.copytree(BASE_DIR / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(BASE_DIR / source, folder / target)
    (collect,) = re.findall(r"^RUN (.*collectstatic[^&]*)", DOCKERFILE, re.MULTILINE)
    command = collect.replace("/app", str(folder)).replace("python", shlex.quote(sys.executable), 1)
    bare = {"PATH": os.environ["PATH"], "MAILROOM_ENV_FILE": os.devnull}
    subprocess.run(["/bin/sh", "-c", command], cwd=folder, env=bare, check=True)
    return folder


def test_image_has_its_static_files(image):
    assert (image / "staticfiles" / "staticfiles.json").exists()


def test_web_runs_from_the_image_and_its_probe_says_so(image, tmp_path):
    environment = {
        **os.environ,
        "MAILROOM_RUN_FOLDER": str(tmp_path / "run"),
        "STATIC_ROOT": str(image / "staticfiles"),
        "WEB_PORT": str(free_port()),
        # The one database that every server has; the probe asks for no table.
        "DATABASE_URL": os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres",
        "ALLOWED_HOSTS": "mail.example.com",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def probe():
        command = [sys.executable, "-m", "config.health", "web"]
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


def test_unknown_process_is_said(image):
    for module in ("config.run", "config.health"):
        command = [sys.executable, "-m", module, "postman"]
        done = subprocess.run(command, cwd=image, capture_output=True, text=True, check=False)
        assert (done.returncode, "worker-critical" in done.stderr) == (2, True)
