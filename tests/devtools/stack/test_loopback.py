"""Connections to loopback do not use a proxy, neither the caller's nor those of the stack's processes."""

import os

import pytest
import requests

from config.environment import BASE_DIR
from devtools.stack.loopback import LOOPBACK, exempt
from devtools.stack.ports import free_port
from devtools.stack.stack import Ports, Stack
from tests import forked

PROXIES = [
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
]


@pytest.fixture
def proxied(monkeypatch):
    """A machine on which every proxy setting leads to a closed port."""
    for name in PROXIES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "a.example"}, "a.example,127.0.0.1,localhost,::1"),
        ({"no_proxy": "a.example, ::1", "NO_PROXY": "b.example"}, "a.example,::1,b.example,127.0.0.1,localhost"),
        ({"no_proxy": "*"}, "*,127.0.0.1,localhost,::1"),
    ],
)
def test_loopback_is_exempt(before, after):
    environment = dict(before)
    exempt(environment)
    assert environment == {"no_proxy": after, "NO_PROXY": after}


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_tests_connect_to_loopback_directly(host):
    assert requests.utils.get_environ_proxies(f"http://{host}:1/") == {}


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize(
    "module", ["devtools.stack.__main__", "devtools.stack.fresh", "devtools.demo.workload", "devtools.chaos.workload"]
)
def test_caller_of_a_stack_connects_to_loopback_directly(module):
    script = f"import {module}, requests; print(requests.utils.get_environ_proxies('http://127.0.0.1:1/'))"
    environment = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    done = forked.run("-c", script, folder=BASE_DIR, environment=environment, check=True)
    assert done.stdout.strip() == "{}"


@pytest.mark.usefixtures("proxied")
def test_processes_of_a_stack_connect_to_loopback_directly(tmp_path):
    caller = {
        "DATABASE_URL": "postgres://x@127.0.0.1:1/x",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "HTTP_PROXY": "http://p",
    }
    environment = Stack(tmp_path, Ports(), caller).environment
    assert set(LOOPBACK) <= set(environment["NO_PROXY"].split(",")) == set(environment["no_proxy"].split(","))
