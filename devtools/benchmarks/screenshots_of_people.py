"""Take the screenshots of the users' pages, a part of `make screenshots`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser

from config.environment import BASE_DIR
from devtools.stack.simulated import Simulated
from devtools.stack.stack import Stack
from tests.browser.looks import DESKTOP, PHONE, Look
from tests.browser.visitor import Visitor
from tests.live.running import Running

FOLDER = BASE_DIR / "docs" / "screenshots"
DESK = Look(name="", viewport=DESKTOP)
LIGHT_PHONE = Look(name="-phone", viewport=PHONE)
DARK_PHONE = Look(name="-phone-dark", viewport=PHONE, dark=True)


class Photographer:
    """Opens pages and takes screenshots in several looks."""

    def __init__(self, stack: Stack, browser: Browser) -> None:
        self.running = Running(stack, Simulated(stack.simulator_url, stack.folder / "simulator"))
        self.browser = browser

    @contextmanager
    def visitor(self) -> Iterator[Visitor]:
        with DESK.open(self.browser) as context:
            yield Visitor(context.new_page(), self.running)

    def shoot(self, visitor: Visitor, name: str, *looks: Look) -> None:
        for look in looks or (DESK,):
            look.apply(visitor.page)
            visitor.page.screenshot(path=FOLDER / f"{name}{look}.png", full_page=look.viewport == PHONE)
        DESK.apply(visitor.page)


def take_people(stack: Stack, browser: Browser) -> None:
    photographer = Photographer(stack, browser)
    take_sign_up(photographer)
    take_inbox(photographer)
    take_account(photographer)


def take_sign_up(photographer: Photographer) -> None:
    with photographer.visitor() as guest:
        guest.go("/sign-up/")
        photographer.shoot(guest, "sign-up")
        guest.fill_in(email="ada@localhost", password="short")  # noqa: S106 - the site must refuse it
        guest.submit()
        guest.page.get_by_role("alert").wait_for()
        photographer.shoot(guest, "sign-up-refused", LIGHT_PHONE)


def take_inbox(photographer: Photographer) -> None:
    # While an email is sent, and after a bounce.
    with photographer.visitor() as newcomer:
        photographer.running.simulator.set_controls(latency_ms=4000)
        newcomer.sign_up("mary@example.com", name="Mary Somerville")
        newcomer.page.locator("[data-step=sent][aria-current=step]").wait_for()
        newcomer.page.locator("form[action='/check-inbox/again/'] [type=submit][disabled]").wait_for()
        photographer.shoot(newcomer, "inbox-waiting", DESK, DARK_PHONE)
    photographer.running.simulator.set_controls(latency_ms=100)
    with photographer.visitor() as unlucky:
        unlucky.sign_up("bounce-mary@example.com", name="Mary Somerville")
        unlucky.wait_for_progress("refused")
        photographer.shoot(unlucky, "inbox-refused", DARK_PHONE)


def take_account(photographer: Photographer) -> None:
    with photographer.visitor() as member:
        member.address = "emmy@example.com"
        member.sign_up(member.address, name="Emmy Noether")
        member.open_email("/confirm/")
        member.submit()
        member.sees_notice("address-confirmed")
        member.follow("/account/address/")
        member.fill_in(email="noether@example.com", current_password=member.password)
        member.submit()
        time.sleep(2)
        member.go("/")
        photographer.shoot(member, "account", DESK, DARK_PHONE)
