"""One stack for all live tests; each of them has to leave it running."""

from collections.abc import Iterator
from dataclasses import asdict

import pytest

from config.local.ports import free_port
from config.local.stack import Ports, Stack
from notifications.simulator.dials import Dials
from tests.live.running import WORKERS, Running, environment, eventually
from tests.simulated import Simulated


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("live stack")
    ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
    stack = Stack(folder, ports, environment())
    try:
        stack.start(say=lambda _: None)
        yield stack
    finally:
        stack.stop()
        for server in stack.servers:
            server.destroy()


@pytest.fixture
def live(stack: Stack) -> Running:
    running = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
    eventually(lambda: all(stack.supervisor.state(name) == "RUNNING" for name in WORKERS))
    running.simulator.turn(**asdict(Dials(latency_ms=0)))
    return running
