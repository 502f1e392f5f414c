"""`make screenshots`: take the screenshots of the documentation, with Debian's Chromium and a new stack."""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from config.environment import BASE_DIR
from devtools.benchmarks.screenshots_of_people import take_people
from devtools.stack.ports import free_port
from devtools.stack.simulated import Simulated
from devtools.stack.site_client import SiteClient
from devtools.stack.stack import ADMIN_ADDRESS, Ports, Stack

CHROMIUM = Path("/usr/bin/chromium")
FOLDER = BASE_DIR / "docs" / "screenshots"
SIZE: ViewportSize = {"width": 1440, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
NAMES = ("Ada Lovelace", "Grace Hopper", "Katherine Johnson", "Hedy Lamarr", "Annie Easley", "Radia Perlman")


def main() -> int:
    if not CHROMIUM.exists():
        sys.stderr.write("No Chromium at /usr/bin/chromium: apt install chromium\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), Ports(web=free_port(), flower=free_port(), simulator=free_port()), {**os.environ})
        try:
            stack.start(say=lambda _: None)
            invite(stack)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
                )
                take_people(stack, browser)
                take(stack, browser)
                take_status(stack, browser)
                take_steering(stack, browser)
                trouble(stack)
                take_trouble(stack, browser)
        finally:
            stack.stop()
            for server in stack.servers:
                server.destroy()
    return 0


def invite(stack: Stack) -> None:
    for name in NAMES:
        SiteClient(stack.site_url).sign_up(f"{name.split()[0].lower()}@example.com", name)
    SiteClient(stack.site_url).ask_for_reset("ada@example.com")
    # The simulator bounces emails to such addresses.
    SiteClient(stack.site_url).sign_up("bounce@example.com", "Alan Kay")
    time.sleep(6)


def trouble(stack: Stack) -> None:
    """Create emails that the provider refuses for two reasons, and uncertain ones."""
    set_controls(stack, latency_ms=50, webhook_lost_rate=1, error_rate=1, error_status=400)
    for name in ("alan", "barbara", "edsger", "frances", "john"):
        SiteClient(stack.site_url).sign_up(f"{name}@example.com", name.title())
    time.sleep(3)
    set_controls(stack, error_status=413)
    SiteClient(stack.site_url).ask_for_reset("grace@example.com")
    time.sleep(3)
    set_controls(stack, error_rate=0, fault="cut_after", fault_rate=1)
    for name in ("margaret", "niklaus"):
        SiteClient(stack.site_url).sign_up(f"{name}@example.com", name.title())
    SiteClient(stack.site_url).ask_for_reset("hedy@example.com")
    time.sleep(3)
    gone = "from accounts.models import User; User.objects.filter(email='john@example.com').update(is_active=False)"
    stack.manage("shell", "-v", "0", "-c", gone)


def set_controls(stack: Stack, **controls: float | str) -> None:
    requests.put(f"{stack.simulator_url}/api/controls/simulator", json=controls, timeout=10).raise_for_status()


def take(stack: Stack, browser: Browser) -> None:
    page = browser.new_page(viewport=SIZE)
    page.goto(f"{stack.simulator_url}/messages/2")
    time.sleep(0.5)
    _shot(page, "email")
    log_in(stack, page)
    page.goto(f"{stack.site_url}/admin/notifications/message/")
    _shot(page, "admin")
    page.check("#action-toggle")
    page.select_option("[name=action]", "send_again_selected")
    page.click("button[name=index]")
    _shot(page, "resend")
    page.goto(f"{stack.site_url}/admin/notifications/message/")
    page.click("#result_list >> text=bounce@example.com")
    page.locator(".facts").evaluate("details => details.scrollIntoView()")
    _shot(page, "timeline")
    page.goto(f"{stack.site_url}/admin/notifications/suppression/")
    page.click("#result_list >> text=bounce@example.com")
    page.click("text=Lift …")
    _shot(page, "lift")


def take_trouble(stack: Stack, browser: Browser) -> None:
    page = browser.new_page(viewport=SIZE)
    log_in(stack, page)
    page.goto(f"{stack.site_url}/admin/notifications/deadletter/")
    _shot(page, "dead-letters")
    page.check("#action-toggle")
    page.select_option("[name=action]", "replay_selected")
    page.click("button[name=index]")
    _shot(page, "replay")
    page.goto(f"{stack.site_url}/admin/notifications/uncertainmessage/")
    _shot(page, "uncertain")
    page.click("#result_list >> text=margaret@example.com")
    page.click("text=Settle …")
    _shot(page, "settle")
    operator = browser.new_context(
        viewport=SIZE, http_credentials={"username": "operator", "password": stack.flower_password}
    )
    page = operator.new_page()
    page.goto(f"{stack.flower_url}/tasks")
    time.sleep(1.5)
    _shot(page, "flower")


def take_status(stack: Stack, browser: Browser) -> None:
    """Take the dashboard without problems on a phone, then with two frozen workers."""
    # Otherwise beat counts within minutes.
    stack.manage("shell", "-v", "0", "-c", "from notifications.operations import rollups; rollups.roll_up_due()")
    phone = browser.new_page(viewport=PHONE, color_scheme="dark")
    log_in(stack, phone)
    phone.goto(f"{stack.site_url}/admin/email/")
    _shot(phone, "status-phone", whole=True)
    page = browser.new_page(viewport=SIZE)
    log_in(stack, page)
    workers = [stack.supervisor.ask("getProcessInfo", f"worker-{name}")["pid"] for name in ("critical", "main")]
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    SiteClient(stack.site_url).ask_for_reset("grace@example.com")
    time.sleep(40)
    page.goto(f"{stack.site_url}/admin/email/")
    _shot(page, "status", whole=True)
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    # The waiting messages must be sent before the next screenshots.
    Simulated(stack.simulator_url, stack.folder / "simulator").reset_link("grace@example.com")


def take_steering(stack: Stack, browser: Browser) -> None:
    """Take the steering page while a stream is paused."""
    stack.manage("pause", "stream", "bulk", "--reason", "wrong text in the newsletter", "--by", "Ada")
    page = browser.new_page(viewport=SIZE)
    log_in(stack, page)
    page.goto(f"{stack.site_url}/admin/steering/")
    _shot(page, "steering")
    stack.manage("resume", "stream", "bulk", "--by", "Ada")


def log_in(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.site_url}/admin/")
    page.fill("[name=username]", ADMIN_ADDRESS)
    page.fill("[name=password]", stack.admin_password)
    page.click("[type=submit]")


def _shot(page: Page, name: str, *, whole: bool = False) -> None:
    # The admin's script opens the sidebar after the page is shown.
    page.wait_for_load_state()
    page.screenshot(path=FOLDER / f"{name}.png", full_page=whole)


if __name__ == "__main__":
    sys.exit(main())
