"""The list of processes and the settings of each."""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from config.environment import BASE_DIR
from config.health import healthy
from config.processes import PROCESSES, command_line, most_connections, pool_size
from config.reading import Environment
from notifications import housekeeping
from notifications.runtime.roles import Role
from tests import forked

# boto3 for SES; the shell of Celery's command line; Flower.
UNUSED = {"boto3", "botocore", "prompt_toolkit", "click_repl", "flower", "tornado"}
BY_NAME = {process.name: process for process in PROCESSES}


def test_every_command_can_be_filled_in():
    for process in PROCESSES:
        command = command_line(process, run=Path("/a run/folder"), env=Environment({}))
        assert command[0] == sys.executable
        assert not any("{" in part for part in command)


def test_beat_has_a_connection_for_each_job_their_keeper_and_the_heartbeat():
    """Jobs hold theirs for minutes. One that waits for a connection fails, and the keeper reports an outage."""
    assert BY_NAME["beat"].connections >= len(list(housekeeping.registered())) + 2


def test_ports_come_from_the_environment():
    command = command_line(BY_NAME["web"], run=Path(), env=Environment({"WEB_PORT": "9999"}))
    assert "127.0.0.1:9999" in command


def test_critical_has_reserved_slots_and_bulk_never_starves():
    queues = {
        name: process.command[process.command.index("-Q") + 1].split(",")
        for name, process in BY_NAME.items()
        if process.role is Role.WORKER
    }
    assert queues["worker-critical"] == ["critical"]
    assert queues["worker-main"] == ["critical", "default", "bulk"]
    assert queues["worker-bulk"][0] == "bulk"


def test_workers_may_take_longer_to_stop_than_a_call():
    assert all(process.stop_s > 15 for process in PROCESSES if process.role is Role.WORKER)


@pytest.mark.parametrize("name", ["worker-main", "relay", "beat"])
def test_process_does_not_import_what_it_does_not_use(name):
    """Each megabyte counts in seven processes. Only this test's interpreter shows what a new process imports."""
    process = BY_NAME[name]
    module = "config.celery_command" if "config.celery_command" in process.command else "config.celery"
    script = (
        f"import sys, django, {module}; django.setup();"
        "from django.core.management.base import BaseCommand; BaseCommand().check();"
        f"import celery.bin.worker, celery.bin.beat; print(*sys.modules.keys() & {UNUSED!r})"
    )
    environment = {**os.environ, "MAILROOM_ROLE": process.role.value, "EMAIL_PROVIDERS": "simulator"}
    shown = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=BASE_DIR, env=environment, capture_output=True, check=True
    )
    assert shown.stdout.split() == []


@pytest.mark.parametrize(("role", "patient"), [("web", False), ("relay", False), ("worker", True), ("beat", True)])
def test_only_workers_and_beat_wait_for_the_broker(role, patient):
    script = (
        "from config.celery import app; c = app.conf;"
        "print(c.task_publish_retry, c.broker_transport_options['socket_timeout'] > 1)"
    )
    shown = forked.run("-c", script, folder=BASE_DIR, environment=os.environ | {"MAILROOM_ROLE": role}, check=True)
    assert shown.stdout.split() == [str(patient)] * 2


def test_environment_overrides_the_file(tmp_path):
    file = tmp_path / "env"
    file.write_text("SITE_NAME='from the file'\nLOG_LEVEL='ERROR'\n")
    script = (
        "import os; from config.environment import env;"
        "print(env.str('SITE_NAME'), env.str('LOG_LEVEL'), 'LOG_LEVEL' in os.environ)"
    )
    environment = {**os.environ, "MAILROOM_ENV_FILE": str(file), "SITE_NAME": "mine"}
    shown = forked.run("-c", script, folder=BASE_DIR, environment=environment, check=True)
    assert shown.stdout.split() == ["mine", "ERROR", "False"]


def test_secret_can_come_from_a_file(tmp_path):
    secret = tmp_path / "key"
    secret.write_text("from a secret's file\n")
    script = "from config.environment import env; print(env.str('SOME_KEY') + '|')"
    environment = os.environ | {"SOME_KEY_FILE": str(secret)}
    shown = forked.run("-c", script, folder=BASE_DIR, environment=environment, check=True)
    assert shown.stdout == "from a secret's file|\n"


@pytest.mark.parametrize(
    ("name", "environment", "size"),
    [
        ("web", {}, 5),
        ("web", {"WEB_THREADS": "16"}, 17),
        ("worker-critical", {}, 6),
        ("worker-main", {}, 10),
        ("relay", {}, 4),
        ("beat", {}, 14),
        ("worker-main", {"DATABASE_POOL_SIZE": "3"}, 3),
        ("flower", {"DATABASE_POOL_SIZE": "3"}, 0),
    ],
)
def test_pool_has_a_connection_for_each_thread_that_holds_one(name, environment, size):
    assert pool_size(BY_NAME[name], Environment(environment)) == size


def test_one_set_of_processes_leaves_many_of_the_default_connections():
    assert most_connections(Environment({})) < 60
    assert most_connections(Environment({"WEB_WORKERS": "4"})) == most_connections(Environment({})) + 10


@pytest.mark.parametrize(("host", "bind"), [("0.0.0.0", "0.0.0.0:8000"), ("::1", "[::1]:8000"), ("[::]", "[::]:8000")])  # noqa: S104
def test_host_may_be_an_ipv4_or_ipv6_address(host, bind):
    assert bind in command_line(BY_NAME["web"], run=Path(), env=Environment({"WEB_HOST": host}))


class _OnlyBehindAPath(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401 if self.path == "/tools/flower/healthcheck" else 404)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.mark.parametrize(
    ("prefix", "is_healthy"), [("tools/flower", True), ("/tools/flower/", True), ("", False), ("flower", False)]
)
def test_probe_of_flower_behind_a_path_uses_its_prefix(prefix, is_healthy):
    with HTTPServer(("127.0.0.1", 0), _OnlyBehindAPath) as server:
        Thread(target=server.handle_request, daemon=True).start()
        port = str(server.server_address[1])
        assert healthy("flower", {"FLOWER_PORT": port, "FLOWER_URL_PREFIX": prefix}, Path()) is is_healthy


def test_probe_of_an_invalid_port_fails_without_a_traceback():
    assert not any(healthy("web", {"WEB_PORT": port}, Path()) for port in ("canary", "-1", "65536", "1.5"))
