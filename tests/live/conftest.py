"""One stack for all live tests. Each test leaves it running, except for the workers that it stopped."""

from collections.abc import Iterator
from dataclasses import asdict

import pytest

from devtools.simulator.controls import Controls
from devtools.stack.stack import Stack
from tests.live.running import WORKERS, Running, environment, eventually, started
from tests.simulated import Simulated


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that bring their workers first: starting the stack's workers after each of them would take long."""
    items.sort(key=lambda item: "unattended" not in getattr(item, "fixturenames", ()))
    for item in items:
        # Enough for the start of the stack, and for several events, on a busy machine.
        if item.get_closest_marker("live") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with started(tmp_path_factory.mktemp("live stack"), environment()) as stack:
        yield stack


@pytest.fixture
def unattended(stack: Stack) -> Running:
    """Return the stack without its workers, for a test that brings its workers."""
    running = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
    running.stop(*(name for name in WORKERS if stack.supervisor.state(name) != "STOPPED"))
    running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    return running


@pytest.fixture
def live(stack: Stack) -> Running:
    running = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
    running.start(*(name for name in WORKERS if stack.supervisor.state(name) == "STOPPED"))
    eventually(lambda: all(running.is_running(name) for name in WORKERS))
    running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    return running
