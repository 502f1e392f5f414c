"""Collect what a browser reports: policy violations, script errors, missing files."""

from playwright.sync_api import ConsoleMessage, Page, Response

BAD_REQUEST = 400


class BrowserErrors:
    """Collects the reports of a page, from now on."""

    def __init__(self, page: Page) -> None:
        self.messages: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.messages.append(f"{page.url}: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # The browser also reports error pages, which tests check themselves.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.messages.append(f"{message.location.get('url')}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= BAD_REQUEST and response.request.resource_type != "document":
            self.messages.append(f"{response.url}: {response.status}")
