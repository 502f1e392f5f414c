"""A user of the site, with a browser and a mailbox."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.sync_api import Locator, Page, Response, expect

from devtools.stack.site_client import PASSWORD
from tests.browser.browser_errors import BrowserErrors
from tests.live.running import Running, eventually

NEW_PASSWORD = "seven green umbrellas on a train"
PATIENCE_MS = 15_000


class Visitor:
    """Acts like a user. Each method ends on the page that follows."""

    def __init__(self, page: Page, running: Running, *, javascript: bool = True) -> None:
        self.page = page
        self.javascript = javascript
        self.running = running
        self.site_url = running.stack.site_url
        self.address = f"ada-{uuid4().hex[:8]}@example.com"
        self.password = PASSWORD
        self.opened: set[int] = set()
        self.errors = BrowserErrors(page)

    # --- Navigation --------------------------------------------------------------------------------------------------

    def go(self, path: str) -> Response:
        response = self.page.goto(path if path.startswith("http") else self.site_url + path)
        assert response is not None
        return response

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def sees(self, text: str) -> None:
        """Expect a text that a user has typed, not the wording of a page."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)

    def is_at(self, page: str) -> None:
        """Expect a page, by the name in its template."""
        expect(self.page.locator("body")).to_have_attribute("data-page", page, timeout=PATIENCE_MS)

    def sees_notice(self, notice: str) -> None:
        """Expect a notice, by the key in its view."""
        expect(self.page.locator(f".notice.{notice}")).to_be_visible(timeout=PATIENCE_MS)

    def sees_error(self, field: str) -> None:
        expect(self.page.locator(f"main [name={field}][aria-invalid=true]")).to_be_visible(timeout=PATIENCE_MS)

    def fill_in(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"main [name={name}]").fill(value)

    def submit(self, to: str = "") -> None:
        """Submit the page's main form, or the one that posts to `to`."""
        self.button(to).click()

    def button(self, to: str = "") -> Locator:
        form = f"form[action='{to}']" if to else "main form:not([action])"
        return self.page.locator(f"{form} [type=submit]")

    def follow(self, path: str) -> None:
        self.page.locator(f"main a[href='{path}'], main a[href^='{path}?']").first.click()

    def in_another(self, page: Page) -> "Visitor":
        """Return the same user in another tab or browser."""
        page.set_default_timeout(PATIENCE_MS)
        other = Visitor(page, self.running, javascript=self.javascript)
        other.address, other.password = self.address, self.password
        return other

    def until(self, happened: Callable[[], Any]) -> None:
        eventually(happened, within_s=PATIENCE_MS / 1000)

    def wait_for_progress(self, progress: str) -> None:
        """Wait until the inbox page shows this progress: live with JavaScript, by a link without."""
        shown = self.page.locator(f"main [data-progress={progress}]")
        if self.javascript:
            shown.wait_for(timeout=PATIENCE_MS)
        else:
            self.until(lambda: shown.is_visible() or self._reload())

    def _reload(self) -> bool:
        self.follow("/check-inbox/")
        return False

    # --- The mailbox -------------------------------------------------------------------------------------------------

    def link_in_email(self, path: str, *, to: str | None = None) -> str:
        """Wait for an unread email with a link to `path`; return the newest one's link."""
        wanted = re.compile(re.escape(self.site_url + path) + r"[^\s<>\"]+")

        def newest() -> str | None:
            for email in self.running.simulator.messages(to=to or self.address):
                link = wanted.search(email["text"])
                if link and email["seq"] not in self.opened:
                    self.opened.add(email["seq"])
                    return link[0]
            return None

        return str(eventually(newest))

    def open_email(self, path: str, *, to: str | None = None) -> Response:
        return self.go(self.link_in_email(path, to=to))

    # --- The flows ---------------------------------------------------------------------------------------------------

    def sign_up(self, address: str | None = None, *, name: str = "Ada Lovelace") -> None:
        self.address = address or self.address
        self.go("/sign-up/")
        self.fill_in(email=self.address, name=name, password=self.password)
        self.submit()

    def confirm(self) -> None:
        self.open_email("/confirm/")
        self.submit()
        self.sees_notice("address-confirmed")

    def log_in(self, **fields: str) -> None:
        self.go("/log-in/")
        self.fill_in(**{"username": self.address, "password": self.password} | fields)
        self.submit()

    def log_out(self) -> None:
        self.submit("/log-out/")
        self.page.locator("nav a[href='/log-in/']").wait_for()

    def become_a_member(self) -> None:
        self.sign_up()
        self.confirm()
        self.is_at("home")
