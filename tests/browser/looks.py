"""The viewports and colour schemes of the tests."""

from dataclasses import dataclass
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
# The admin of Django changes the colour of a link within 150 ms. An animation need not end.
TRANSITIONS_ENDED = """() => Promise.allSettled(
    document.getAnimations()
        .filter((animation) => animation instanceof CSSTransition)
        .map((transition) => transition.finished))"""


@dataclass(frozen=True, kw_only=True)
class Look:
    name: str
    viewport: ViewportSize
    dark: bool = False
    javascript: bool = True

    def open(self, browser: Browser, **more: Any) -> BrowserContext:
        """Open a new browser context without cookies."""
        return browser.new_context(
            viewport=self.viewport,
            color_scheme=self.scheme,
            java_script_enabled=self.javascript,
            locale="en-GB",
            **more,
        )

    def apply(self, page: Page) -> None:
        """Show an open page in this look, with the colours that it has when its transitions have ended."""
        page.set_viewport_size(self.viewport)
        page.emulate_media(color_scheme=self.scheme)
        page.evaluate(TRANSITIONS_ENDED)

    @property
    def scheme(self) -> Literal["dark", "light"]:
        return "dark" if self.dark else "light"

    def __str__(self) -> str:
        return self.name


# Every page is checked in each of these.
LOOKS = (
    Look(name="desktop-light", viewport=DESKTOP),
    Look(name="desktop-dark", viewport=DESKTOP, dark=True),
    Look(name="phone-light", viewport=PHONE),
    Look(name="phone-dark", viewport=PHONE, dark=True),
)
# Every flow is tested in each of these.
WAYS = (
    Look(name="desktop-with-javascript", viewport=DESKTOP),
    Look(name="phone-without-javascript", viewport=PHONE, javascript=False),
)
