"""One stack and one browser for all tests; each visitor has separate cookies."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from devtools.simulator.controls import Controls
from devtools.stack.stack import ADMIN_ADDRESS
from tests.browser.looks import DESKTOP, WAYS, Look
from tests.browser.visitor import Visitor
from tests.live.running import Running, environment, started
from tests.simulated import Simulated

CHROMIUM = Path("/usr/bin/chromium")
# Uncertain messages stay so for the tests of their page. In some orders, the tests' bounces would slow sign-up email.
SETTINGS = {"LOG_LEVEL": "INFO", "UNCERTAIN_SETTLE_S": "600", "BOUNCE_BRAKE_MIN": "1000"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(tmp_path_factory.mktemp("browser stack"), environment(**SETTINGS)) as stack:
        running = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )


@pytest.fixture(params=WAYS, ids=str)
def look(request: pytest.FixtureRequest) -> Look:
    found: Look = request.param
    return found


@pytest.fixture
def visitor(running: Running, browser: Browser, look: Look) -> Iterator[Visitor]:
    """A visitor whose browser reports no errors."""
    with look.open(browser) as context:
        visitor = Visitor(context.new_page(), running, javascript=look.javascript)
        visitor.page.set_default_timeout(15_000)
        running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
        yield visitor
    assert visitor.errors.messages == []


@pytest.fixture
def operator(running: Running, browser: Browser) -> Iterator[Visitor]:
    """An administrator whose browser reports no errors."""
    look = Look(name="operator", viewport=DESKTOP)
    with look.open(browser) as context:
        operator = Visitor(context.new_page(), running)
        operator.page.set_default_timeout(15_000)
        operator.go("/admin/login/")
        operator.fill_in(username=ADMIN_ADDRESS, password=running.stack.admin_password)
        operator.page.locator("[type=submit]").click()
        yield operator
    assert operator.errors.messages == []
