"""One stack for all live tests; each of them has to leave it running."""

from collections.abc import Iterator
from dataclasses import asdict

import pytest

from devtools.simulator.controls import Controls
from devtools.stack.stack import Stack
from tests.live.running import WORKERS, Running, environment, eventually, started
from tests.simulated import Simulated


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with started(tmp_path_factory.mktemp("live stack"), environment()) as stack:
        yield stack


@pytest.fixture
def live(stack: Stack) -> Running:
    running = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
    eventually(lambda: all(stack.supervisor.state(name) == "RUNNING" for name in WORKERS))
    running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    return running
